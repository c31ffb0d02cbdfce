//! One provider for one channel: its deliverer, and whoever reads its reports.

use std::path::Path;
use std::sync::Arc;

use countersign::{Channel, Deliverer, ReportReader, SystemClock};
use countersign_messages::Messages;
use countersign_provider::twilio::{Account, AccountConfig, Reports};
use countersign_provider::{ClientConfig, Credential};
use countersign_sms::twilio::Sender;
use countersign_sms::{smpp, sns, twilio as sms_twilio, vonage as sms_vonage};
use countersign_smtp::Smtp;
use countersign_voice::{twilio as voice_twilio, vonage as voice_vonage};
use countersign_webhook::{Webhook, WebhookConfig};

use super::question::Question;
use crate::config::{Config, Provider, called};
use crate::console::Console;
use crate::failure::{Failure, causes};

/// One provider for one channel.
pub(crate) struct Part {
    pub(crate) deliverer: Arc<dyn Deliverer>,
    pub(crate) reader: Option<(&'static str, Arc<dyn ReportReader>)>,
    pub(crate) question: Question,
}

impl Part {
    /// The provider for this channel, as configured; connects to nothing yet.
    pub(crate) fn build(
        provider: Provider,
        channel: Channel,
        config: &Config,
        messages: &Arc<Messages>,
    ) -> Result<Self, Failure> {
        let build = Build {
            provider,
            channel,
            config,
            messages,
        };
        match (provider, channel) {
            (Provider::Console, _) => Ok(Build::part(Arc::new(Console), None, Question::None)),
            (Provider::Smtp, _) => build.smtp(),
            (Provider::Twilio, Channel::Voice) => build.twilio_calls(),
            (Provider::Twilio, _) => build.twilio_sms(),
            (Provider::Vonage, Channel::Voice) => build.vonage_calls(),
            (Provider::Vonage, _) => build.vonage_sms(),
            (Provider::Sns, _) => build.sns(),
            (Provider::Smpp, _) => build.smpp(),
            (Provider::Webhook, _) => build.webhook(),
        }
    }
}

/// What every provider is built from.
struct Build<'a> {
    provider: Provider,
    channel: Channel,
    config: &'a Config,
    messages: &'a Arc<Messages>,
}

impl Build<'_> {
    fn part(
        deliverer: Arc<dyn Deliverer>,
        reader: Option<(&'static str, Arc<dyn ReportReader>)>,
        question: Question,
    ) -> Part {
        Part {
            deliverer,
            reader,
            question,
        }
    }

    /// A value that this provider cannot do without.
    fn needed<'v, T>(
        &self,
        value: Option<&'v T>,
        field: &str,
        example: &str,
    ) -> Result<&'v T, Failure> {
        let (channel, name) = (self.channel.name(), self.provider.name());
        value.ok_or_else(|| {
            Failure::config(format!(
                "{channel}.via names \"{name}\", and {name}.{field} is not set: set it under \
                 [{name}], for instance {field} = \"{example}\""
            ))
        })
    }

    fn wrong(error: &dyn std::error::Error) -> Failure {
        Failure::config(causes(error))
    }

    /// The certificate authorities of a section, where it names some.
    fn ca(&self, path: Option<&Path>) -> Result<Option<Vec<u8>>, Failure> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|error| {
                let (name, path) = (self.provider.name(), called(path));
                Failure::config(format!("{name}.ca_file: cannot read {path}: {error}"))
            })
        };
        path.map(read).transpose()
    }

    /// How a section has its provider reached.
    fn http(
        &self,
        base_url: Option<&String>,
        ca_file: Option<&Path>,
    ) -> Result<impl FnOnce(ClientConfig) -> ClientConfig + use<>, Failure> {
        let (base_url, ca) = (base_url.cloned(), self.ca(ca_file)?);
        Ok(|mut http: ClientConfig| {
            if let Some(url) = base_url {
                http = http.base_url(&url);
            }
            if let Some(pem) = ca {
                http = http.ca_pem(pem);
            }
            http
        })
    }

    /// Where reports are to come, if the world is told where we are.
    fn callback(&self, name: &str) -> Option<String> {
        let url = self.config.public_url.as_ref()?;
        Some(format!("{url}/v1/verify/reports/{name}"))
    }

    fn smtp(&self) -> Result<Part, Failure> {
        let section = self.config.smtp.as_ref();
        let url = section.and_then(|smtp| smtp.url.as_ref());
        let url = self.needed(url, "url", "smtp://user@mail.example.com:587")?;
        let from = section.and_then(|smtp| smtp.from.as_ref());
        let from = self.needed(from, "from", "Example <no-reply@example.com>")?;
        let mut settings = countersign_smtp::SmtpConfig::new(url.reveal(), from);
        if let Some(password) = section.and_then(|smtp| smtp.password.as_ref()) {
            settings = settings.password(password.reveal());
        }
        if let Some(pem) = self.ca(section.and_then(|smtp| smtp.ca_file.as_deref()))? {
            settings = settings.ca_pem(pem);
        }
        let smtp = Smtp::new(settings, Arc::clone(self.messages));
        let smtp = Arc::new(smtp.map_err(|error| Self::wrong(&error))?);
        Ok(Self::part(
            Arc::clone(&smtp) as _,
            None,
            Question::Smtp(smtp),
        ))
    }

    fn twilio_account(&self) -> Result<(Arc<Account>, Arc<dyn ReportReader>), Failure> {
        let twilio = &self.config.providers.twilio;
        let sid = self.needed(twilio.account_sid.as_ref(), "account_sid", "AC…")?;
        let token = self.needed(twilio.auth_token.as_ref(), "auth_token", "…")?;
        let http = self.http(twilio.base_url.as_ref(), twilio.ca_file.as_deref())?;
        let mut account = AccountConfig::with_auth_token(sid, token.reveal()).http(http);
        if let Some(callback) = self.callback("twilio") {
            account = account.callback_url(&callback);
        }
        let account = Account::new(account).map_err(|error| Self::wrong(&error))?;
        let reports = Reports::new([Credential::new(token.reveal())]);
        Ok((Arc::new(account), Arc::new(reports)))
    }

    fn twilio_sms(&self) -> Result<Part, Failure> {
        let twilio = &self.config.providers.twilio;
        let (account, reports) = self.twilio_account()?;
        let sender = match &twilio.messaging_service_sid {
            Some(sid) => Sender::MessagingService(sid.clone()),
            None => Sender::From(
                self.needed(twilio.from.as_ref(), "from", "+15550100")?
                    .clone(),
            ),
        };
        let sms = sms_twilio::Twilio::new(account, sender, Arc::clone(self.messages));
        let sms = Arc::new(sms.map_err(|error| Self::wrong(&error))?);
        let reader = Some(("twilio", reports));
        Ok(Self::part(
            Arc::clone(&sms) as _,
            reader,
            Question::TwilioSms(sms),
        ))
    }

    fn twilio_calls(&self) -> Result<Part, Failure> {
        let (account, reports) = self.twilio_account()?;
        let from = self.config.providers.twilio.from.as_ref();
        let from = self.needed(from, "from", "+15550100")?;
        let calls = voice_twilio::Twilio::new(account, from, Arc::clone(self.messages));
        let calls = Arc::new(calls.map_err(|error| Self::wrong(&error))?);
        let reader = Some(("twilio", reports));
        Ok(Self::part(
            Arc::clone(&calls) as _,
            reader,
            Question::TwilioCalls(calls),
        ))
    }

    fn vonage_sms(&self) -> Result<Part, Failure> {
        let vonage = &self.config.providers.vonage;
        let key = self.needed(vonage.api_key.as_ref(), "api_key", "…")?;
        let from = self.needed(vonage.from.as_ref(), "from", "Example")?;
        let http = self.http(vonage.base_url.as_ref(), vonage.ca_file.as_deref())?;
        let mut settings = sms_vonage::VonageConfig::new(key, from).http(http);
        // Vonage takes one of both: with a secret of its own for signatures, requests are
        // signed too.
        settings = if let Some(secret) = &vonage.api_secret {
            settings.api_secret(secret.reveal())
        } else {
            let secret = vonage.signature_secret.as_ref();
            settings.sign_by(self.needed(secret, "api_secret", "…")?.reveal())
        };
        let mut reader: Option<(_, Arc<dyn ReportReader>)> = None;
        if let Some(secret) = &vonage.signature_secret {
            if let Some(callback) = self.callback("vonage") {
                settings = settings.callback_url(&callback);
            }
            let reports = sms_vonage::VonageReceipts::new(Credential::new(secret.reveal()));
            reader = Some(("vonage", Arc::new(reports)));
        }
        let sms = sms_vonage::Vonage::new(settings, Arc::clone(self.messages));
        let sms = Arc::new(sms.map_err(|error| Self::wrong(&error))?);
        let question = Question::VonageSms(Arc::clone(&sms));
        Ok(Self::part(sms, reader, question))
    }

    fn vonage_calls(&self) -> Result<Part, Failure> {
        let vonage = &self.config.providers.vonage;
        let application = self.needed(vonage.application_id.as_ref(), "application_id", "…")?;
        let key = self.needed(
            vonage.private_key.as_ref(),
            "private_key_file",
            "vonage.pem",
        )?;
        let from = self.needed(vonage.voice_from.as_ref(), "voice_from", "+15550100")?;
        let http = self.http(vonage.voice_base_url.as_ref(), vonage.ca_file.as_deref())?;
        let settings = voice_vonage::VonageConfig::new(application, key.reveal(), from);
        let mut settings = settings.http(http);
        let mut reader: Option<(_, Arc<dyn ReportReader>)> = None;
        if let Some(secret) = &vonage.signature_secret {
            if let Some(callback) = self.callback("vonage-voice") {
                settings = settings.event_url(&callback);
            }
            let events = voice_vonage::VonageEvents::new(Credential::new(secret.reveal()));
            reader = Some(("vonage-voice", Arc::new(events)));
        }
        let calls = voice_vonage::Vonage::new(settings, Arc::clone(self.messages));
        let calls = Arc::new(calls.map_err(|error| Self::wrong(&error))?);
        let question = Question::VonageCalls(Arc::clone(&calls));
        Ok(Self::part(calls, reader, question))
    }

    fn sns(&self) -> Result<Part, Failure> {
        let section = &self.config.providers.sns;
        let region = self.needed(section.region.as_ref(), "region", "eu-north-1")?;
        let id = self.needed(section.access_key_id.as_ref(), "access_key_id", "AKIA…")?;
        let secret = section.secret_access_key.as_ref();
        let secret = self.needed(secret, "secret_access_key", "…")?;
        let http = self.http(section.base_url.as_ref(), section.ca_file.as_deref())?;
        let mut settings = sns::SnsConfig::new(region, id, secret.reveal()).http(http);
        if let Some(from) = &section.from {
            settings = settings.from(from);
        }
        if let Some(dollars) = &section.max_price {
            settings = settings.max_price(dollars);
        }
        let sns = sns::Sns::new(settings, Arc::clone(self.messages));
        let sns = Arc::new(sns.map_err(|error| Self::wrong(&error))?);
        let question = Question::Sns(Arc::clone(&sns));
        Ok(Self::part(sns, None, question))
    }

    fn smpp(&self) -> Result<Part, Failure> {
        let section = &self.config.providers.smpp;
        let url = self.needed(
            section.url.as_ref(),
            "url",
            "smpps://user@smsc.example.com:3550",
        )?;
        let from = self.needed(section.from.as_ref(), "from", "Example")?;
        let mut settings = smpp::SmppConfig::new(url, from);
        if let Some(password) = &section.password {
            settings = settings.password(password.reveal());
        }
        if let Some(system_type) = &section.system_type {
            settings = settings.system_type(system_type);
        }
        if let Some(pem) = self.ca(section.ca_file.as_deref())? {
            settings = settings.ca_pem(pem);
        }
        let clock = Arc::new(SystemClock::default());
        let smpp = smpp::Smpp::new(settings, Arc::clone(self.messages), clock);
        let smpp = Arc::new(smpp.map_err(|error| Self::wrong(&error))?);
        Ok(Self::part(
            Arc::clone(&smpp) as _,
            None,
            Question::Smpp(smpp),
        ))
    }

    fn webhook(&self) -> Result<Part, Failure> {
        let section = &self.config.providers.webhook;
        let url = self.needed(
            section.url.as_ref(),
            "url",
            "https://hooks.example.com/codes",
        )?;
        let secret = self.needed(section.secret.as_ref(), "secret", "whsec_…")?;
        let http = self.http(None, section.ca_file.as_deref())?;
        let mut settings = WebhookConfig::new(url, secret.reveal()).http(http);
        if let Some(older) = &section.older_secret {
            settings = settings.older_secret(older.reveal());
        }
        let webhook = Webhook::new(settings, Arc::clone(self.messages));
        let webhook = Arc::new(webhook.map_err(|error| Self::wrong(&error))?);
        let reader: Arc<dyn ReportReader> = Arc::new(webhook.reports());
        let question = Question::Webhook(Arc::clone(&webhook));
        Ok(Self::part(webhook, Some(("webhook", reader)), question))
    }
}
