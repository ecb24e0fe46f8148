"""Manifests for Kubernetes, made from the declarations of services, topics and rights."""
