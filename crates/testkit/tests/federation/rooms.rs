//! A room with somebody of another domain in it, and what becomes of them.

use super::*;

/// Romeo enters the room at Juliet's server.
async fn enter(stage: &Stage, romeo: &mut Client) {
    let join = format!("<presence to='{BALL}/romeo'><x xmlns='{MUC}'/></presence>");
    say(romeo, &join).await;
    let own = "ball@conference.capulet.example/romeo";
    hear(romeo, stage, has("presence", own, None)).await;
}

fn line(text: &str) -> String {
    format!("<message to='{BALL}' type='groupchat' id='{text}'><body>{text}</body></message>")
}

fn says(text: &'static str) -> impl Fn(&Tree) -> bool {
    move |tree| body(tree).as_deref() == Some(text)
}

fn is_put_out(tree: &Tree) -> bool {
    has("presence", "ball@conference.capulet.example/romeo", Some("unavailable"))(tree)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_missed_a_line_hears_of_it_after_a_restart() {
    let stage = Stage::set(Wiring::default(), "").await;
    let (mut juliet, mut romeo) = (stage.juliet().await, stage.romeo().await);
    make_room(&stage, &mut juliet).await;
    enter(&stage, &mut romeo).await;
    for cable in [&stage.to_capulet, &stage.to_montague] {
        cable.swallow();
    }
    say(&mut juliet, &line("lost")).await;
    hear(&mut juliet, &stage, says("lost")).await;
    stage.capulet.stop().expect("it stops");
    for cable in [&stage.to_capulet, &stage.to_montague] {
        cable.cut();
        cable.plug();
    }
    stage.capulet.launch().expect("it starts");
    let out = hear(&mut romeo, &stage, is_put_out).await;
    let x = out.child("x", "http://jabber.org/protocol/muc#user").expect("says why");
    assert!(x.children().any(|child| child.attr("code") == Some("333")), "{out:?}");
    enter(&stage, &mut romeo).await;
    hear(&mut romeo, &stage, says("lost")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_before_a_restart_arrives_and_nobody_is_put_out() {
    let stage = Stage::set(Wiring::default(), "").await;
    let (mut juliet, mut romeo) = (stage.juliet().await, stage.romeo().await);
    make_room(&stage, &mut juliet).await;
    enter(&stage, &mut romeo).await;
    let lines: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    say(&mut juliet, &lines.iter().map(|text| line(text)).collect::<String>()).await;
    hear(&mut juliet, &stage, says("99")).await;
    stage.capulet.stop().expect("it stops");
    stage.capulet.launch().expect("it starts");
    let mut juliet = stage.juliet().await;
    say(&mut juliet, &format!("<presence to='{BALL}/juliet'><x xmlns='{MUC}'/></presence>")).await;
    say(&mut juliet, &line("after")).await;
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last| last != "after") {
        let next = hear(&mut romeo, &stage, |tree| body(tree).is_some() || is_put_out(tree)).await;
        assert!(!is_put_out(&next), "he missed nothing: {}", stage.logs());
        heard.extend(body(&next));
    }
    heard.pop();
    assert_eq!(heard, lines);
}
