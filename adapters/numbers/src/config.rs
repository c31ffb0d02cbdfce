//! What an operator sets.

use countersign::Channel;

/// Which numbers are read and served, and what messages cost.
///
/// A plain value; [`Numbers::new`](crate::Numbers::new) checks it.
#[derive(Clone, Debug, Default)]
pub struct NumbersConfig {
    pub(crate) region: Option<String>,
    pub(crate) countries: Vec<(Channel, String)>,
    pub(crate) providers: Vec<(Channel, String)>,
    pub(crate) prices: Vec<GivenPrice>,
    pub(crate) voip: Vec<Channel>,
    pub(crate) fixed_lines_by_sms: bool,
    pub(crate) any_number: Vec<Channel>,
}

/// A price as it was written.
#[derive(Clone, Debug)]
pub(crate) struct GivenPrice {
    pub(crate) channel: Channel,
    pub(crate) country: String,
    pub(crate) provider: String,
    pub(crate) text: String,
}

impl NumbersConfig {
    /// No national forms are read, no country is served, nothing has a price.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The country (ISO 3166 alpha-2) in whose national form numbers may be written.
    /// Without one, numbers begin with `+` or `00`.
    #[must_use]
    pub fn region(mut self, country: impl Into<String>) -> Self {
        self.region = Some(country.into());
        self
    }

    /// Countries (ISO 3166 alpha-2) that `channel` serves, beside those named before.
    #[must_use]
    pub fn countries(
        mut self,
        channel: Channel,
        countries: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let countries = countries.into_iter().map(Into::into);
        self.countries.extend(countries.map(|c| (channel, c)));
        self
    }

    /// The providers of `channel`, each of which may be the one that takes a message: a
    /// country is served only if all have a price for it, and the dearest counts. Where
    /// none is named, every provider with a price in the channel is meant.
    #[must_use]
    pub fn providers(
        mut self,
        channel: Channel,
        providers: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let providers = providers.into_iter().map(Into::into);
        self.providers.extend(providers.map(|p| (channel, p)));
        self
    }

    /// What `provider` takes for one message of `channel` to `country`, in the currency
    /// of the deployment as decimal text with at most six decimals, as `0.0521`. From the
    /// first price of a channel on, its countries without one are refused.
    #[must_use]
    pub fn price(
        mut self,
        channel: Channel,
        country: impl Into<String>,
        provider: impl Into<String>,
        price: impl Into<String>,
    ) -> Self {
        self.prices.push(GivenPrice {
            channel,
            country: country.into(),
            provider: provider.into(),
            text: price.into(),
        });
        self
    }

    /// Serves numbers of internet telephony too. They are refused otherwise: anybody can
    /// have a thousand of them, and none proves that somebody holds a certain phone.
    #[must_use]
    pub fn voip(mut self, channel: Channel) -> Self {
        self.voip.push(channel);
        self
    }

    /// Sends SMS to fixed lines too: some operators read them out.
    #[must_use]
    pub const fn fixed_lines_by_sms(mut self) -> Self {
        self.fixed_lines_by_sms = true;
        self
    }

    /// Serves whatever has the form of E.164, of any country and sort, even what is
    /// nobody's number. Only for a channel whose messages cost nothing and leave no
    /// machine, as the console's.
    #[must_use]
    pub fn dangerous_any_number(mut self, channel: Channel) -> Self {
        self.any_number.push(channel);
        self
    }
}
