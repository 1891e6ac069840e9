"""Cases: begin, edit with a draft that saves itself, treatments, close."""

from __future__ import annotations

from django.urls import URLPattern

urls: list[URLPattern] = []
