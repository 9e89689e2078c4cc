# The service as an image: docker build -t shenyan . && docker run -p 8000:8000 -v shenyan:/data shenyan
# The first admin key is in /data/admin.key, or give one with -e SHENYAN_ADMIN_KEY=...
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# The libraries change less often than the service, so they are a layer of their own.
COPY requirements.lock ./
RUN python -m venv /opt/shenyan \
 && /opt/shenyan/bin/pip install --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY service ./service
COPY lexicons ./lexicons
COPY migrations ./migrations
RUN /opt/shenyan/bin/pip wheel --no-deps --wheel-dir /wheels . \
 && /opt/shenyan/bin/pip install --no-deps --no-index /wheels/*.whl \
 && /opt/shenyan/bin/python -m compileall -q /opt/shenyan/lib

FROM python:${PYTHON}-slim
RUN groupadd --system --gid 10001 shenyan \
 && useradd --system --uid 10001 --gid shenyan --home-dir /data --no-create-home shenyan \
 && install --directory --owner shenyan --group shenyan --mode 0700 /data
COPY --from=build /opt/shenyan /opt/shenyan
ENV PATH=/opt/shenyan/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SHENYAN_HOST=0.0.0.0 \
    SHENYAN_DATA_DIR=/data
WORKDIR /data
VOLUME /data
# By number, so that an orchestrator can tell that it is not root.
USER 10001:10001
EXPOSE 8000
# Is the process up. Whether it should get requests is /readyz, which a load balancer asks.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('SHENYAN_PORT') or 8000), timeout=2); c.request('GET', '/livez'); sys.exit(c.getresponse().status != 200)"]
CMD ["shenyan", "serve"]
