"""Imported first by what draws: pictures and the report are an extra of their own."""

from __future__ import annotations

from linmodel.extra import require

require("figures", "figures", "matplotlib", "jinja2", "latex2mathml")
