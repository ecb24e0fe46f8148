"""Monitoring as code: the rules, dashboards and tables that follow from the objectives, the alerts and the metrics."""
