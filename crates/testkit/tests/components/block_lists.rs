//! Block lists that a component publishes.

use std::io;

use sha2::{Digest as _, Sha256};

use crate::gateway::{Gateway, romeo, run_with};

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The gateway keeps a block list, page by page, and some of its own people are on it.
async fn tell_the_list(gateway: &mut Gateway) -> io::Result<()> {
    let pages = [
        ("mallory@gateway.verona.example", "<first index='0'>a</first><last>a</last>"),
        ("eve@gateway.verona.example", "<first index='1'>b</first><last>b</last>"),
    ];
    let mut pages = pages.iter();
    while let Some((jid, ends)) = pages.as_slice().first() {
        let iq = gateway.receive("iq").await?;
        let id = iq.attr("id").unwrap_or_default();
        if iq.attr("type") != Some("get") {
            assert!(iq.pretty().contains("<subscribe"), "{}", iq.pretty());
            continue;
        }
        let hash = sha256(jid);
        gateway
            .send(&format!(
                "<iq from='gateway.verona.example' to='verona.example' type='result' id='{id}'>\
                 <pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='bans'>\
                 <item id='{hash}'/></items><set xmlns='http://jabber.org/protocol/rsm'>{ends}\
                 <count>2</count></set></pubsub></iq>"
            ))
            .await?;
        pages.next();
    }
    Ok(())
}

#[test]
fn whoever_is_on_a_block_list_reaches_nobody() {
    run_with("a block list", |server| async move {
        let mut gateway = Gateway::start(&server).await?;
        let mut romeo = romeo(&server).await?;
        romeo.send("<presence xmlns='jabber:client'/>").await?;
        romeo.receive_until(|stanza| stanza.name == "presence").await?;
        tell_the_list(&mut gateway).await?;
        let says = |who: &str, id: &str| {
            format!(
                "<message from='{who}@gateway.verona.example' to='romeo@verona.example' \
                 type='chat' id='{id}'><body>Buy this</body></message>"
            )
        };
        for who in ["mallory", "eve"] {
            gateway
                .send(&format!(
                    "<presence from='{who}@gateway.verona.example' to='romeo@verona.example' \
                     type='subscribe'/>{}",
                    says(who, who)
                ))
                .await?;
            let refused = gateway.receive("message").await?;
            assert_eq!(refused.attr("id"), Some(who));
            assert!(refused.pretty().contains("policy-violation"), "{}", refused.pretty());
            // Nor do they come into rooms.
            gateway
                .send(&format!(
                    "<presence from='{who}@gateway.verona.example/x' \
                     to='ball@conference.verona.example/{who}'>\
                     <x xmlns='http://jabber.org/protocol/muc'/></presence>"
                ))
                .await?;
            let refused = gateway.receive("presence").await?;
            assert!(refused.pretty().contains("policy-violation"), "{}", refused.pretty());
        }
        // The list changes: one is on it no more, another one is. Only its service says so.
        let (gone, new) =
            (sha256("eve@gateway.verona.example"), sha256("nurse@gateway.verona.example"));
        for from in ["somebody@gateway.verona.example", "gateway.verona.example"] {
            gateway
                .send(&format!(
                    "<message from='{from}' to='verona.example'>\
                     <event xmlns='http://jabber.org/protocol/pubsub#event'><items node='bans'>\
                     <retract id='{gone}'/><item id='{new}'/></items></event></message>"
                ))
                .await?;
            gateway.send(&says("nurse", from)).await?;
            if from == "gateway.verona.example" {
                let refused = gateway.receive("message").await?;
                assert_eq!(refused.attr("id"), Some(from));
            } else {
                romeo.receive_until(|stanza| stanza.attr("id") == Some(from)).await?;
            }
        }
        gateway.send(&says("eve", "at last")).await?;
        let first = romeo.receive_until(|stanza| stanza.name == "message").await?;
        assert_eq!(first.attr("id"), Some("at last"), "{}", first.pretty());
        Ok(())
    });
}
