//! Users and administrators (XEP-0133 §4.1 to §4.10, §4.25).

use super::*;

/// What has to be known of a new account.
pub(super) fn new_account() -> Vec<Field> {
    vec![one_account(), secret("password", "Password"), secret("password-verify", "The same again")]
}

pub(super) fn password(form: &Form) -> Result<Password, StanzaError> {
    let password = form.value("password").filter(|password| !password.is_empty());
    password
        .map(|password| Password::new(password.to_owned()))
        .ok_or_else(|| refused("there is no password"))
}

impl Call<'_> {
    pub(super) async fn add(&self, form: &Form) -> IqAnswer {
        let (account, password) = (self.account(form)?, password(form)?);
        let again = form.value("password-verify");
        if again.is_some_and(|again| Some(again) != form.value("password")) {
            return Err(refused("the two passwords differ"));
        }
        self.say(Request::AccountAdd { account, password, admin: false }).await
    }

    /// Nobody takes their own right away by mistake.
    pub(super) fn spare_own(&self, form: &Form) -> Result<(), StanzaError> {
        let own = self.context.session()?.account.jid();
        let is_own = |address: &String| Jid::new(address).is_ok_and(|jid| jid.to_bare() == *own);
        match self.addresses(form, "accountjids")?.iter().any(is_own) {
            true => Err(refused("you would no longer be an administrator yourself")),
            false => Ok(()),
        }
    }

    /// Does the same for every address of the form. Those before a failure are done.
    pub(super) async fn for_each(
        &self,
        form: &Form,
        request: impl Fn(String) -> Request,
    ) -> IqAnswer {
        let mut sentences = Vec::new();
        for address in self.addresses(form, "accountjids")? {
            if let Response::Done(sentence) = self.operate(request(address)).await? {
                sentences.push(sentence);
            }
        }
        commands::done(self.iq, self.node, &sentences.join(" "))
    }

    pub(super) async fn roster(&self, form: &Form) -> IqAnswer {
        let mut answer =
            self.result(vec![field("accountjids", form.values("accountjids").iter().cloned())])?;
        for address in self.addresses(form, "accountjids")? {
            let account = self.loaded(&address).await?;
            let query = {
                let state = account.lock();
                let contacts = state.roster.listed().take(MOST_LISTED);
                let items: Vec<Element> =
                    contacts.map(|(jid, contact)| contact.item(jid)).collect();
                Element::new("query", ns::ROSTER).with_children(items)
            };
            if let Some(answer) = &mut answer {
                answer.push(query);
            }
        }
        Ok(answer)
    }

    /// XEP-0133 §4.9, to the day: more is not known. The fields belong to the addresses in their order.
    pub(super) async fn last_login(&self, form: &Form) -> IqAnswer {
        let addresses = self.addresses(form, "accountjids")?;
        let mut days = Vec::new();
        for account in &addresses {
            let request = Request::AccountShow { account: account.clone() };
            if let Response::Accounts(found) = self.operate(request).await? {
                let day = |one: admin::Account| one.last_login.unwrap_or_default();
                days.extend(found.into_iter().map(day));
            }
        }
        self.result(vec![field("accountjids", addresses), field("lastlogin", days)])
    }

    pub(super) async fn statistics(&self, form: &Form) -> IqAnswer {
        let account = self.loaded(&self.account(form)?).await?;
        let (contacts, resources) = {
            let state = account.lock();
            let resources: Vec<String> =
                state.resources.iter().map(|r| r.session.resource().to_owned()).collect();
            (state.roster.listed().count(), resources)
        };
        self.result(vec![
            field("accountjid", [account.bare().to_owned()]),
            field("rostersize", [contacts.to_string()]),
            field("onlineresources", resources),
        ])
    }

    /// Everybody who may administer.
    pub(super) async fn admins(&self) -> Result<Field, StanzaError> {
        let admins = self.accounts().await?.into_iter().filter(|account| account.admin);
        Ok(Field::new("adminjids", FieldType::JidMulti)
            .with_label("Everybody who may administer")
            .with_values(admins.map(|account| account.address)))
    }

    /// Those who are in the form are administrators, and nobody else.
    pub(super) async fn choose_admins(&self, form: &Form) -> IqAnswer {
        let wanted = self.addresses(form, "adminjids")?;
        let own = self.context.session()?.account.bare();
        if !wanted.iter().any(|address| address == own) {
            return Err(refused("you would no longer be an administrator yourself"));
        }
        let accounts = self.accounts().await?;
        let unknown = |address: &&String| !accounts.iter().any(|a| a.address == **address);
        if let Some(unknown) = wanted.iter().find(unknown) {
            let error = StanzaError::new(Condition::ItemNotFound);
            return Err(error.with_text(format!("there is no account {unknown}")));
        }
        for account in accounts {
            let admin = wanted.contains(&account.address);
            if admin != account.admin {
                self.operate(Request::AccountAdmin { account: account.address, admin }).await?;
            }
        }
        commands::done(self.iq, self.node, "The administrators were changed.")
    }
}
