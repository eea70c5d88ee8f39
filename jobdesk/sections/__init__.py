"""The settings of a home, a file a section: what each key may be."""

import os
from typing import Annotated

from pydantic import AfterValidator, field_validator, model_validator

from jobdesk.core.calling import MAIL
from jobdesk.sections.alerts import AlertSettings
from jobdesk.sections.analytics import AnalyticsSettings, ReportSettings
from jobdesk.sections.app import AppSettings
from jobdesk.sections.desk import Defaults, DeskSettings
from jobdesk.sections.email import EmailSettings
from jobdesk.sections.fetching import FetchingSettings
from jobdesk.sections.fields import Section, repeated
from jobdesk.sections.files import FileSettings
from jobdesk.sections.flows import FlowSettings
from jobdesk.sections.folders import FolderSettings
from jobdesk.sections.http import HttpSettings
from jobdesk.sections.images import ImageSettings, PresetName, PresetSettings
from jobdesk.sections.logs import LogSettings
from jobdesk.sections.notify import NotifySettings
from jobdesk.sections.payments import PaymentSettings
from jobdesk.sections.queues import QueueName, QueueSettings, TypeSettings
from jobdesk.sections.referrals import ReferralSettings
from jobdesk.sections.scanner import ScannerSettings
from jobdesk.sections.schedules import ScheduleSettings, named_once
from jobdesk.sections.secrets import SecretSettings
from jobdesk.sections.services import BreakerSettings, ProviderSettings, ServiceName, ServiceSettings, named_apart
from jobdesk.sections.storage import StorageSettings
from jobdesk.sections.upkeep import ArchiveSettings, BackupSettings, CleanupSettings
from jobdesk.sections.webhooks import WebhookSettings
from jobdesk.sections.webhooks import named_once as webhooks_named_once


class Config(Section):
    """All settings of a home."""

    desk: DeskSettings
    defaults: Defaults
    storage: StorageSettings
    scanner: ScannerSettings
    images: ImageSettings
    files: FileSettings
    presets: dict[PresetName, PresetSettings] = {}
    notify: NotifySettings
    email: EmailSettings
    payments: PaymentSettings
    referrals: ReferralSettings = ReferralSettings()
    analytics: AnalyticsSettings
    reports: ReportSettings
    cleanup: CleanupSettings
    backup: BackupSettings
    archive: ArchiveSettings
    logs: LogSettings
    secrets: SecretSettings
    fetching: FetchingSettings
    http: HttpSettings
    alerts: AlertSettings
    app: AppSettings
    queues: dict[QueueName, QueueSettings]
    folders: list[FolderSettings]
    flows: list[FlowSettings] = []
    schedules: Annotated[list[ScheduleSettings], AfterValidator(named_once)] = []
    webhooks: Annotated[list[WebhookSettings], AfterValidator(webhooks_named_once)] = []
    types: dict[str, TypeSettings] = {}
    breaker: BreakerSettings
    services: dict[ServiceName, ServiceSettings] = {}
    providers: dict[ServiceName, ProviderSettings] = {}

    @model_validator(mode="after")
    def _services_differ(self) -> "Config":
        named_apart(self.services, self.providers)
        if MAIL in self.services.keys() | self.providers.keys():
            raise ValueError(f"'{MAIL}' is the mail server of [email]: give the service another name")
        return self

    @property
    def all_services(self) -> dict[str, ServiceSettings | ProviderSettings]:
        """Services and providers by name; the mail server is one."""
        mail = self.email.service
        return {**self.services, **self.providers, **({} if mail is None else {MAIL: mail})}

    @field_validator("flows")
    @classmethod
    def _flows_differ(cls, flows: list[FlowSettings]) -> list[FlowSettings]:
        names = [flow.name for flow in flows]
        if (name := repeated(names)) is not None:
            raise ValueError(f"two flows are named '{name}': give one another name")
        return flows

    @property
    def workers(self) -> int:
        """Jobs at once."""
        return self.desk.workers or max(2, os.cpu_count() or 2)
