"""Settings: read from the environment (``CITYLOOP_…``), documented in ``docs/operating.md``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything that differs between installations and is not the city's content."""

    model_config = SettingsConfigDict(env_prefix="CITYLOOP_", extra="forbid")

    city: Path = Field(default=Path("cities/demo"), description="Folder of the city to serve")
    data: Path = Field(default=Path("data"), description="Folder for the lake, attachments and the embedded database")
    database: str = Field(
        default="", description="SQLAlchemy URL of the operational store; empty: SQLite in the data folder"
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one")
    demo: bool = Field(default=False, description="Demo mode: paced clock, drill actors, sign-in without password")
    speed: float = Field(default=60.0, ge=0, le=3600, description="City seconds a real second in demo mode")
    session_hours: float = Field(default=12.0, gt=0, description="Hours after which a sign-in ends")
    body_limit: int = Field(default=16 * 1024 * 1024, gt=0, description="Largest request body in bytes")
    attachment_limit: int = Field(default=10 * 1024 * 1024, gt=0, description="Largest attachment in bytes")
    secure_cookies: bool = Field(default=False, description="Mark session cookies Secure; switch on behind TLS")
    linger_ms: int = Field(
        default=50, ge=0, le=1000, description="Milliseconds a feed batch waits for company before it is committed"
    )
    sync: bool = Field(default=True, description="Force lake commits to the disk before they are acknowledged")
    report_font: Path | None = Field(
        default=None, description="Font file with Chinese signs for PDF reports; empty: where the system keeps one"
    )
    compact_seconds: float = Field(default=60.0, gt=0, description="Seconds between compactions of the lake")
    lake_engine: str = Field(
        default="duckdb", description="Who answers figures and questions: duckdb, or spark://host:7077"
    )
    lake_keep_hours: float = Field(
        default=1.0, ge=1, description="Hours that replaced files of the lake stay; longer than the longest query"
    )
    lake_log_days: float = Field(default=7.0, ge=1, description="Days that the lake's log can tell of")
    retention_open_days: int = Field(default=0, ge=0, description="Days that open types are kept; 0: for ever")
    retention_internal_days: int = Field(default=0, ge=0, description="Days that internal types are kept; 0: for ever")
    retention_sensitive_days: int = Field(
        default=0, ge=0, description="Days that types with a sensitive property are kept; 0: for ever"
    )
    retention_event_days: int = Field(
        default=0, ge=0, description="Days that events of cases and warnings stay in the lake; 0: for ever"
    )

    public_reports: int = Field(
        default=20, ge=1, description="Reports an hour that the citizen's page takes from one network address"
    )
    public_phone_reports: int = Field(default=5, ge=1, description="Reports a day that it takes under one phone number")
    public_applications: int = Field(
        default=20, ge=1, description="Applications for instant approval an hour from one network address"
    )
    public_looks: int = Field(
        default=60, ge=1, description="Questions a minute for the state of a report from one network address"
    )
    public_searches: int = Field(
        default=120, ge=1, description="Searches for an address a minute from one network address"
    )

    grant_days: float = Field(default=366.0, gt=0, description="Longest term of a grant between departments, in days")

    train_hours: float = Field(
        default=24.0, ge=0, description="City hours between trainings of the models; 0: only by command"
    )
    model_threads: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Threads that training and forecasting may take; more help on idle cores only",
    )
    risk_seconds: float = Field(default=30.0, gt=0, description="Seconds between batches of estimated risks")

    mail_host: str = Field(default="", description="SMTP server that notices go out by; empty: no e-mail")
    mail_port: int = Field(default=587, ge=1, le=65535, description="Its port")
    mail_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the way to it is protected: starttls, tls from the start, or none"
    )
    mail_from: str = Field(default="", description="Sender's address of notices; needed with a server")
    mail_user: str = Field(default="", description="Account at the SMTP server; empty: no sign-in")
    mail_password: str = Field(default="", description="Its password, or where it stands: file:PATH or env:NAME")
    sms_url: str = Field(default="", description="Address of the SMS gateway; empty: no text messages")
    sms_token: str = Field(default="", description="Bearer token for it, or where it stands: file:PATH or env:NAME")
    notices_hourly: int = Field(default=20, ge=1, description="Messages an hour that one address gets at most")

    ask_model_url: str = Field(
        default="",
        description="Address of a server with the chat completions interface that may fill in queries; empty: none",
    )
    ask_model_name: str = Field(default="", description="Name of the language model there")
    ask_model_token: str = Field(
        default="", description="Bearer token for it, or where it stands: file:PATH or env:NAME"
    )
    ask_model_seconds: float = Field(default=20.0, gt=0, le=120, description="Seconds to wait for it")

    def database_url(self) -> str:
        """The operational store's URL, defaulting to SQLite in the data folder."""
        return self.database or f"sqlite:///{self.data.resolve() / 'cityloop.db'}"
