"""The case page: what was answered, forecast, documents."""

from __future__ import annotations

from django.urls import URLPattern

urls: list[URLPattern] = []
