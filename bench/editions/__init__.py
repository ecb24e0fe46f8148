"""A thousand published editions in a single scheduler."""
