//! Two Anemones and what people on them do with each other.

mod rooms;

use std::collections::BTreeSet;

use testkit::client::{Account, Client, Via};
use testkit::target::federation::{Cable, Domain, Wiring, start};
use testkit::tree::Tree;

const NAMES: [&str; 2] = ["capulet.example", "montague.example"];
const PASSWORD: &str = "wherefore";

/// Juliet at one domain, Romeo at the other.
struct Stage {
    capulet: Domain,
    montague: Domain,
    to_capulet: Cable,
    to_montague: Cable,
}

impl Stage {
    async fn set(wiring: Wiring, extra: &str) -> Self {
        let (domains, cables) = start(&NAMES, wiring, extra).await.expect("both servers start");
        let [capulet, montague] = <[Domain; 2]>::try_from(domains).ok().expect("two domains");
        let [to_capulet, to_montague] = <[Cable; 2]>::try_from(cables).ok().expect("two cables");
        capulet.create_account("juliet", PASSWORD).expect("an account");
        montague.create_account("romeo", PASSWORD).expect("an account");
        Stage { capulet, montague, to_capulet, to_montague }
    }

    async fn juliet(&self) -> Client {
        log_in(&self.capulet, "juliet", "balcony").await
    }

    async fn romeo(&self) -> Client {
        log_in(&self.montague, "romeo", "orchard").await
    }

    /// The logs of both, for a failure.
    fn logs(&self) -> String {
        format!(
            "capulet:\n{}\nmontague:\n{}",
            self.capulet.log_tail(40),
            self.montague.log_tail(40)
        )
    }
}

async fn log_in(domain: &Domain, user: &str, resource: &str) -> Client {
    let account = Account {
        user: user.into(),
        password: PASSWORD.into(),
        resource: Some(resource.into()),
        mechanism: None,
    };
    Client::log_in(domain.endpoint(), Via::StartTls, &account).await.expect("the login succeeds")
}

async fn say(client: &mut Client, xml: &str) {
    client.send(xml).await.expect("the connection stands");
}

/// The next element that is wanted. Whoever asks what the client can do is told.
async fn hear(client: &mut Client, stage: &Stage, wanted: impl Fn(&Tree) -> bool) -> Tree {
    loop {
        let heard = match client.receive().await {
            Ok(heard) => heard,
            Err(error) => panic!("{error}\n{}", stage.logs()),
        };
        if wanted(&heard) {
            return heard;
        }
        let asks = |child: &Tree| child.ns == "http://jabber.org/protocol/disco#info";
        if heard.attr("type") == Some("get") && heard.children().any(asks) {
            let answer = format!(
                "<iq type='result' id='{}' to='{}'>\
                 <query xmlns='http://jabber.org/protocol/disco#info'>\
                 <identity category='client' type='pc'/>\
                 <feature var='{DEVICES}+notify'/></query></iq>",
                heard.attr("id").unwrap_or_default(),
                heard.attr("from").unwrap_or_default(),
            );
            say(client, &answer).await;
        }
    }
}

fn has(
    name: &'static str,
    from: &'static str,
    type_: Option<&'static str>,
) -> impl Fn(&Tree) -> bool {
    move |tree| {
        tree.name == name
            && tree.attr("type") == type_
            && tree.attr("from").is_some_and(|found| found.starts_with(from))
    }
}

const JULIET: &str = "juliet@capulet.example";
const ROMEO: &str = "romeo@montague.example";

fn body(tree: &Tree) -> Option<String> {
    tree.child("body", "jabber:client").map(Tree::text)
}

async fn exchange(stage: &Stage) {
    let (mut juliet, mut romeo) = (stage.juliet().await, stage.romeo().await);
    say(&mut juliet, "<presence/>").await;
    say(&mut romeo, "<presence/>").await;
    for (text, id) in [("O Romeo", "a"), ("wherefore art thou", "b")] {
        let xml =
            format!("<message to='{ROMEO}' type='chat' id='{id}'><body>{text}</body></message>");
        say(&mut juliet, &xml).await;
        let heard = hear(&mut romeo, stage, |tree| tree.name == "message").await;
        assert_eq!(body(&heard).as_deref(), Some(text));
        assert_eq!(heard.attr("from"), Some("juliet@capulet.example/balcony"));
        assert_eq!(heard.attr("id"), Some(id));
    }
    let xml = format!("<message to='{JULIET}/balcony' type='chat'><body>Call me</body></message>");
    say(&mut romeo, &xml).await;
    let heard = hear(&mut juliet, stage, |tree| tree.name == "message").await;
    assert_eq!(body(&heard).as_deref(), Some("Call me"));
}

#[tokio::test]
async fn messages_go_both_ways_over_starttls() {
    let stage = Stage::set(Wiring::default(), "").await;
    exchange(&stage).await;
    let list = stage.capulet.run("federation list --json").unwrap();
    assert!(list.contains("\"certificate\"") && list.contains("\"managed\":true"), "{list}");
    assert!(list.contains("\"problem\":null"), "{list}");
}

#[tokio::test]
async fn messages_go_both_ways_over_direct_tls() {
    let stage = Stage::set(Wiring { direct: true, ..Wiring::default() }, "").await;
    exchange(&stage).await;
}

#[tokio::test]
async fn messages_go_both_ways_over_the_port_of_the_web() {
    let stage = Stage::set(Wiring { web: true, ..Wiring::default() }, "").await;
    exchange(&stage).await;
    let list = stage.capulet.run("federation list --json").unwrap();
    assert!(list.contains("\"certificate\""), "{list}");
}

#[tokio::test]
async fn dialback_does_where_the_operator_allows_it() {
    let wiring = Wiring { strangers: true, dialback: true, ..Wiring::default() };
    let stage = Stage::set(wiring, "").await;
    exchange(&stage).await;
    let list = stage.capulet.run("federation list --json").unwrap();
    assert!(list.contains("\"dialback\""), "{list}");
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_listed_with_the_reason() {
    let wiring = Wiring { strangers: true, ..Wiring::default() };
    let stage = Stage::set(wiring, "bounce_seconds = 1").await;
    let mut juliet = stage.juliet().await;
    let xml = format!("<message to='{ROMEO}' type='chat' id='x'><body>?</body></message>");
    say(&mut juliet, &xml).await;
    let error = hear(&mut juliet, &stage, |tree| tree.name == "message").await;
    assert_eq!((error.attr("type"), error.attr("id")), (Some("error"), Some("x")));
    let list = stage.capulet.run("federation list").unwrap();
    let reason = "the other server is not trusted: its certificate is from an authority that is not \
                  trusted here";
    assert!(list.contains(reason), "{list}");
}

async fn befriend(stage: &Stage, juliet: &mut Client, romeo: &mut Client) {
    say(juliet, &format!("<presence to='{ROMEO}' type='subscribe'/>")).await;
    hear(romeo, stage, has("presence", JULIET, Some("subscribe"))).await;
    say(romeo, &format!("<presence to='{JULIET}' type='subscribed'/>")).await;
    hear(juliet, stage, has("presence", ROMEO, Some("subscribed"))).await;
    say(romeo, &format!("<presence to='{JULIET}' type='subscribe'/>")).await;
    hear(juliet, stage, has("presence", ROMEO, Some("subscribe"))).await;
    say(juliet, &format!("<presence to='{ROMEO}' type='subscribed'/>")).await;
    hear(romeo, stage, has("presence", JULIET, Some("subscribed"))).await;
}

#[tokio::test]
async fn contacts_at_two_domains_see_each_other() {
    let stage = Stage::set(Wiring::default(), "").await;
    let (mut juliet, mut romeo) = (stage.juliet().await, stage.romeo().await);
    say(&mut juliet, "<presence><status>here</status></presence>").await;
    say(&mut romeo, "<presence/>").await;
    befriend(&stage, &mut juliet, &mut romeo).await;
    // The approval is followed by the presence of whoever approved.
    hear(&mut romeo, &stage, has("presence", JULIET, None)).await;
    say(&mut juliet, "<presence><show>away</show></presence>").await;
    let away =
        |tree: &Tree| tree.name == "presence" && tree.child("show", "jabber:client").is_some();
    hear(&mut romeo, &stage, away).await;
    // A new device asks and is told.
    let mut tower = log_in(&stage.montague, "romeo", "tower").await;
    say(&mut tower, "<presence/>").await;
    hear(&mut tower, &stage, away).await;
    juliet.into_connection().close().await;
    hear(&mut tower, &stage, has("presence", JULIET, Some("unavailable"))).await;
    // The end of a subscription reaches both rosters.
    let mut juliet = stage.juliet().await;
    say(&mut juliet, "<presence/>").await;
    hear(&mut romeo, &stage, has("presence", JULIET, None)).await;
    say(&mut romeo, &format!("<presence to='{JULIET}' type='unsubscribe'/>")).await;
    hear(&mut juliet, &stage, has("presence", ROMEO, Some("unsubscribe"))).await;
    hear(&mut romeo, &stage, has("presence", JULIET, Some("unavailable"))).await;
}

const DEVICES: &str = "eu.siacs.conversations.axolotl.devicelist";

fn publish(id: &str, device: u32) -> String {
    format!(
        "<iq type='set' id='{id}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <publish node='{DEVICES}'><item id='current'>\
         <list xmlns='eu.siacs.conversations.axolotl'><device id='{device}'/></list>\
         </item></publish></pubsub></iq>"
    )
}

fn result(id: &'static str) -> impl Fn(&Tree) -> bool {
    move |tree| tree.name == "iq" && tree.attr("id") == Some(id)
}

/// Whether an element holds this device somewhere.
fn lists(tree: &Tree, device: &str) -> bool {
    (tree.name == "device" && tree.attr("id") == Some(device))
        || tree.children().any(|child| lists(child, device))
}

#[tokio::test]
async fn device_lists_are_read_and_announced_across_domains() {
    let stage = Stage::set(Wiring::default(), "").await;
    let (mut juliet, mut romeo) = (stage.juliet().await, stage.romeo().await);
    say(&mut juliet, "<presence/>").await;
    // Romeo's client wants to hear of device lists.
    say(
        &mut romeo,
        "<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' \
         node='https://romeo.example' ver='no-such-hash'/></presence>",
    )
    .await;
    befriend(&stage, &mut juliet, &mut romeo).await;
    say(&mut juliet, &publish("p1", 1)).await;
    hear(&mut juliet, &stage, result("p1")).await;
    // Juliet's server asked him what he wants to hear of, and tells him.
    let told = hear(&mut romeo, &stage, |tree| tree.name == "message" && lists(tree, "1")).await;
    assert_eq!(told.attr("from"), Some(JULIET));
    say(&mut juliet, &publish("p2", 2)).await;
    hear(&mut romeo, &stage, |tree| tree.name == "message" && lists(tree, "2")).await;
    let ask = format!(
        "<iq type='get' id='q1' to='{JULIET}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <items node='{DEVICES}'/></pubsub></iq>"
    );
    say(&mut romeo, &ask).await;
    let answer = hear(&mut romeo, &stage, result("q1")).await;
    assert!(answer.attr("type") == Some("result") && lists(&answer, "2"), "{answer:?}");
    assert_eq!(answer.attr("from"), Some(JULIET));
    // Nobody publishes at somebody else's address.
    let foreign = publish("q2", 3).replace("<iq ", &format!("<iq to='{JULIET}' "));
    say(&mut romeo, &foreign).await;
    let answer = hear(&mut romeo, &stage, result("q2")).await;
    assert_eq!(answer.attr("type"), Some("error"));
}

#[tokio::test]
async fn requests_reach_servers_people_and_devices_elsewhere() {
    let stage = Stage::set(Wiring::default(), "").await;
    let (mut juliet, mut romeo) = (stage.juliet().await, stage.romeo().await);
    let ping = |id: &str, to: &str| {
        format!("<iq type='get' id='{id}' to='{to}'><ping xmlns='urn:xmpp:ping'/></iq>")
    };
    say(&mut juliet, &ping("1", "montague.example")).await;
    assert_eq!(hear(&mut juliet, &stage, result("1")).await.attr("type"), Some("result"));
    say(&mut juliet, &ping("2", "romeo@montague.example/orchard")).await;
    let asked = hear(&mut romeo, &stage, |tree| tree.name == "iq").await;
    let answer = format!("<iq type='result' id='2' to='{}'/>", asked.attr("from").unwrap());
    say(&mut romeo, &answer).await;
    assert_eq!(hear(&mut juliet, &stage, result("2")).await.attr("type"), Some("result"));
    for (id, to) in [("3", "romeo@montague.example/nowhere"), ("4", "nobody@montague.example/x")] {
        say(&mut juliet, &ping(id, to)).await;
        let answer = hear(&mut juliet, &stage, |tree| tree.attr("id") == Some(id)).await;
        assert_eq!(answer.attr("type"), Some("error"), "{to}");
    }
    // What is an account's own business is not for people elsewhere.
    let query =
        format!("<iq type='get' id='5' to='{ROMEO}'><query xmlns='jabber:iq:roster'/></iq>");
    say(&mut juliet, &query).await;
    assert_eq!(hear(&mut juliet, &stage, result("5")).await.attr("type"), Some("error"));
}

#[tokio::test]
async fn a_message_to_nobody_comes_back_as_the_other_servers_error() {
    let stage = Stage::set(Wiring::default(), "").await;
    let mut juliet = stage.juliet().await;
    let xml = "<message to='nobody@montague.example' type='chat' id='x'><body>?</body></message>";
    say(&mut juliet, xml).await;
    let error = hear(&mut juliet, &stage, |tree| tree.name == "message").await;
    assert_eq!(error.attr("type"), Some("error"));
    assert_eq!(error.attr("from"), Some("nobody@montague.example"));
    let error = error.child("error", "jabber:client").expect("an error");
    assert_eq!(error.attr("by"), None, "it is not ours");
}

/// Sends numbered messages, pulls everything apart meanwhile, and expects each once and in order.
async fn nothing_is_lost(stage: &Stage, trouble: impl AsyncFn(&Stage, u32)) {
    let mut sent = 0;
    let mut juliet = stage.juliet().await;
    say(&mut juliet, "<presence/>").await;
    for round in 0..4 {
        for _ in 0..25 {
            let xml = format!(
                "<message to='{ROMEO}' type='chat' id='m{sent}'><body>{sent}</body></message>"
            );
            if juliet.send(&xml).await.is_err() || !acknowledged(&mut juliet).await {
                juliet = stage.juliet().await;
                say(&mut juliet, "<presence/>").await;
                continue;
            }
            sent += 1;
        }
        trouble(stage, round).await;
        if !acknowledged(&mut juliet).await {
            juliet = stage.juliet().await;
            say(&mut juliet, "<presence/>").await;
        }
    }
    let mut romeo = stage.romeo().await;
    say(&mut romeo, "<presence/>").await;
    let mut heard: Vec<String> = Vec::new();
    // The last one closes the row.
    while heard.last().is_none_or(|last| *last != (sent - 1).to_string()) {
        let message = hear(&mut romeo, stage, |tree| tree.name == "message").await;
        heard.extend(body(&message));
    }
    let expected: Vec<String> = (0..sent).map(|number| number.to_string()).collect();
    let unique: BTreeSet<&String> = heard.iter().collect();
    assert_eq!(unique.len(), heard.len(), "something came twice\n{}", stage.logs());
    assert_eq!(heard, expected, "{}", stage.logs());
}

/// Whether the server has taken what was sent: it answers what comes after it.
async fn acknowledged(client: &mut Client) -> bool {
    let ping = "<iq type='get' id='sync'><ping xmlns='urn:xmpp:ping'/></iq>";
    client.send(ping).await.is_ok()
        && client.receive_until(|tree| tree.attr("id") == Some("sync")).await.is_ok()
}

#[tokio::test]
async fn a_cut_line_loses_doubles_and_reorders_nothing() {
    let stage = Stage::set(Wiring::default(), "").await;
    nothing_is_lost(&stage, async |stage, round| match round {
        0 => stage.to_montague.cut(),
        1 => {
            stage.to_montague.pull();
            stage.to_capulet.pull();
        }
        2 => {
            stage.to_montague.plug();
            stage.to_capulet.plug();
        }
        _ => stage.to_montague.cut(),
    })
    .await;
}

#[tokio::test]
async fn a_restart_of_either_side_loses_doubles_and_reorders_nothing() {
    let stage = Stage::set(Wiring::default(), "").await;
    nothing_is_lost(&stage, async |stage, round| match round {
        0 => stage.montague.stop().expect("it stops"),
        1 => {
            stage.capulet.stop().expect("it stops");
            stage.capulet.launch().expect("it starts");
        }
        2 => stage.montague.launch().expect("it starts"),
        _ => {
            stage.capulet.stop().expect("it stops");
            stage.montague.stop().expect("it stops");
            stage.montague.launch().expect("it starts");
            stage.capulet.launch().expect("it starts");
        }
    })
    .await;
}

// The goodbye goes through a cable, which is not held up by what waits for the servers here.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_down_has_not_failed() {
    let stage = Stage::set(Wiring::default(), "").await;
    exchange(&stage).await;
    stage.montague.stop().expect("it stops");
    // A domain for which nothing waits and that did not fail is soon no longer listed.
    let list = loop {
        let list = stage.capulet.run("federation list --json").unwrap();
        if !list.contains("\"direction\"") {
            break list;
        }
    };
    assert!(!list.contains("\"problem\":\"") && !list.contains("failing\""), "{list}");
}

#[tokio::test]
async fn what_cannot_be_delivered_comes_back() {
    let stage = Stage::set(Wiring::default(), "bounce_seconds = 1").await;
    let mut juliet = stage.juliet().await;
    say(&mut juliet, "<presence/>").await;
    stage.to_montague.pull();
    let xml = format!("<message to='{ROMEO}' type='chat' id='x'><body>?</body></message>");
    say(&mut juliet, &xml).await;
    let error = hear(&mut juliet, &stage, |tree| tree.name == "message").await;
    assert_eq!((error.attr("type"), error.attr("id")), (Some("error"), Some("x")));
    let error = error.child("error", "jabber:client").expect("an error");
    assert_eq!(error.attr("by"), Some("capulet.example"));
    let name = "remote-server-timeout";
    assert!(error.child(name, "urn:ietf:params:xml:ns:xmpp-stanzas").is_some(), "{error:?}");
    let ask = "<iq type='get' id='q' to='montague.example'><ping xmlns='urn:xmpp:ping'/></iq>";
    say(&mut juliet, ask).await;
    assert_eq!(hear(&mut juliet, &stage, result("q")).await.attr("type"), Some("error"));
    let list = stage.capulet.run("federation list").unwrap();
    assert!(list.contains("montague.example") && list.contains("failing"), "{list}");
    // Nothing is left to be sent when the line is back.
    stage.to_montague.plug();
    let list = stage.capulet.run("federation list --json").unwrap();
    assert!(list.contains("\"waiting\":0"), "{list}");
}

#[tokio::test]
async fn domains_the_operator_denies_are_not_talked_to() {
    let stage = Stage::set(Wiring::default(), "deny = [\"montague.example\"]").await;
    let mut juliet = stage.juliet().await;
    let xml = format!("<message to='{ROMEO}' type='chat' id='x'><body>?</body></message>");
    say(&mut juliet, &xml).await;
    let error = hear(&mut juliet, &stage, |tree| tree.name == "message").await;
    let error = error.child("error", "jabber:client").expect("an error");
    assert!(error.child("not-allowed", "urn:ietf:params:xml:ns:xmpp-stanzas").is_some());
}

#[tokio::test]
async fn a_blocked_contact_elsewhere_is_not_heard() {
    let stage = Stage::set(Wiring::default(), "").await;
    let (mut juliet, mut romeo) = (stage.juliet().await, stage.romeo().await);
    say(&mut juliet, "<presence/>").await;
    let block = format!(
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{ROMEO}'/></block></iq>"
    );
    say(&mut juliet, &block).await;
    hear(&mut juliet, &stage, result("b")).await;
    let xml = format!("<message to='{JULIET}' type='chat' id='x'><body>?</body></message>");
    say(&mut romeo, &xml).await;
    let error = hear(&mut romeo, &stage, |tree| tree.name == "message").await;
    assert_eq!((error.attr("type"), error.attr("id")), (Some("error"), Some("x")));
    let back = format!("<message to='{ROMEO}' type='chat' id='y'><body>?</body></message>");
    say(&mut juliet, &back).await;
    let error = hear(&mut juliet, &stage, |tree| tree.name == "message").await;
    assert_eq!((error.attr("type"), error.attr("id")), (Some("error"), Some("y")));
}

/// Juliet makes a room of her server, open to everybody.
async fn make_room(stage: &Stage, juliet: &mut Client) {
    say(juliet, "<presence/>").await;
    let join = format!("<presence to='{BALL}/juliet'><x xmlns='{MUC}'/></presence>");
    say(juliet, &join).await;
    let form = format!(
        "<iq type='set' id='form' to='{BALL}'><query xmlns='{MUC}#owner'>\
         <x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_membersonly'>\
         <value>0</value></field></x></query></iq>"
    );
    say(juliet, &form).await;
    hear(juliet, stage, |tree| tree.attr("id") == Some("form")).await;
}

fn invitation(id: &str, to: &str) -> String {
    format!(
        "<message id='{id}' to='{BALL}'><x xmlns='{MUC}#user'><invite to='{to}'/></x></message>"
    )
}

/// The error about an invitation, and who was invited.
async fn not_invited(stage: &Stage, juliet: &mut Client, id: &'static str) -> (String, String) {
    let error = hear(juliet, stage, |tree| tree.attr("id") == Some(id)).await;
    assert_eq!((error.attr("type"), error.attr("from")), (Some("error"), Some(BALL)));
    let x = error.child("x", "http://jabber.org/protocol/muc#user").expect("says which one");
    let invite = x.children().next().expect("the invitation");
    let condition = error.child("error", "jabber:client").expect("says why");
    let condition = condition.children().next().expect("a condition").name.clone();
    (condition, invite.attr("to").unwrap_or_default().to_owned())
}

#[tokio::test]
async fn an_invitation_of_nobody_elsewhere_is_told_to_whoever_invited() {
    let stage = Stage::set(Wiring::default(), "").await;
    let mut juliet = stage.juliet().await;
    make_room(&stage, &mut juliet).await;
    say(&mut juliet, &invitation("i1", "nobody@montague.example")).await;
    let told = not_invited(&stage, &mut juliet, "i1").await;
    assert_eq!(told, ("service-unavailable".into(), "nobody@montague.example".into()));
}

#[tokio::test]
async fn an_invitation_that_cannot_be_sent_is_told_to_whoever_invited() {
    let stage = Stage::set(Wiring::default(), "bounce_seconds = 1").await;
    let mut juliet = stage.juliet().await;
    make_room(&stage, &mut juliet).await;
    stage.to_montague.pull();
    say(&mut juliet, &invitation("i2", ROMEO)).await;
    let told = not_invited(&stage, &mut juliet, "i2").await;
    assert_eq!(told, ("remote-server-timeout".into(), ROMEO.into()));
}

const BALL: &str = "ball@conference.capulet.example";
const MUC: &str = "http://jabber.org/protocol/muc";
