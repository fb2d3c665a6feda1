"""Channels: each speaks one platform outside and neutral messages inside."""
