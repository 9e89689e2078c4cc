"""The demo page: a chat window whose messages are checked while they are typed and before they are sent."""
