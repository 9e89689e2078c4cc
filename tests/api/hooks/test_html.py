"""Markup to what is read."""

from __future__ import annotations

import pytest

from service.api.hooks.html import pictures_of, text_of


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("", ""),
        ("高仿", "高仿"),
        ("a\n  b", "a b"),
        ("<p>一</p><p>二</p>", "一\n二"),
        ("一<br/>二<hr>三", "一\n二\n三"),
        ("高<b>仿</b><!-- x -->货", "高仿货"),
        ("&#39640;&#x4EFF; &lt;b&gt;", "高仿 <b>"),
        ("<style>p{}</style><script>x</script><p>好</p>", "好"),
        ("<ul><li>一<li>二</ul>", "一\n二"),
        ("<table><tr><td>加</td><td>我</td></tr></table>", "加  我"),
        ('高<span style="display: none">的</span>仿', "高仿"),
        ('高<span style="FONT-SIZE:0px">的</span>仿', "高仿"),
        ('<span style="font-size:0.9em">高仿</span>', "高仿"),
        ("高<span hidden>的</span>仿", "高仿"),
        ("<p>好</p><blockquote><p>在吗</p></blockquote>", "好\n在吗"),
        ("<p>没有关上", "没有关上"),
        ('高<img alt="😊">仿', "高😊仿"),
        ("<noscript>高仿</noscript>", "高仿"),
        ('高<span style="opacity:0">的</span>仿', "高仿"),
        ('<p style="display:none;display:block">高仿</p>', "高仿"),
        ('<p style="display:none!important;display:block">高仿</p>', ""),
        ('<p hidden style="display:block">高仿</p>', "高仿"),
        ('<p style="visibility:hidden"><b style="visibility:visible">高仿</b></p>', "高仿"),
        ('<p style="font-size:0"><b style="font-size:9px">高仿</b></p>', "高仿"),
        ("<i>" * 5_000 + "高<b>仿</b>&amp;<p>正</p>", "高仿&\n正"),
    ],
)
def test_text_is_what_the_customer_reads(markup: str, text: str) -> None:
    assert text_of(markup) == text


def test_pictures_are_those_of_the_web_each_once() -> None:
    markup = '<img src="https://a.test/1"><img src="cid:2"><img><img src="https://a.test/1"><img src="data:x">'
    assert pictures_of(markup) == ("https://a.test/1",)
