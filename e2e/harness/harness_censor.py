"""A Synapse module for tests: runs Synapse's own job that removes redacted content from the
database every few moments. Synapse itself runs it every five minutes, which cannot be set."""

from typing import Any

from synapse.module_api import ModuleApi


class Censor:
    def __init__(self, config: dict[str, Any], api: ModuleApi) -> None:
        # The job is not part of the module API; there is no public way to reach it.
        job = api._hs.get_datastores().main._censor_redactions
        api.looping_background_call(job, config["every_ms"], desc="harness_censor")

    @staticmethod
    def parse_config(config: dict[str, Any]) -> dict[str, Any]:
        return config
