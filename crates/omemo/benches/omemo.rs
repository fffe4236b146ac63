//! `cargo bench -p omemo`: what sessions and messages cost in time, and devices in bytes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use omemo::{Bundle, Device, DeviceId, MAX_FORWARD_JUMP, Sessions, Version};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// How long each thing is done.
const DURATION: Duration = Duration::from_secs(1);

/// The length of the key material of a payload.
const KEY_MATERIAL: [u8; 48] = [7; 48];

fn main() {
    for version in Version::ALL {
        println!("{}", version.namespace());
        times(version);
        sizes(version);
        println!();
    }
}

fn times(version: Version) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    report("devices generated", || device(&mut rng));
    let (romeo, mut juliet) = (device(&mut rng), device(&mut rng));
    let parts = juliet.bundle(version);
    report("bundles written", || juliet.bundle(version));
    report("bundles verified", || Bundle::verify(version, parts.clone()).unwrap());

    let bundle = Bundle::verify(version, parts).unwrap();
    report("sessions opened and accepted", || {
        let mut to_juliet = Sessions::new(version);
        to_juliet.initiate(&romeo, &bundle, &mut rng).unwrap();
        let sent = to_juliet.encrypt(&KEY_MATERIAL, &mut rng).unwrap();
        // The prekey is used and kept, so that it can be used again.
        Sessions::new(version).decrypt(&mut juliet, &sent.message.bytes).unwrap()
    });

    // Each of them used a prekey.
    let _ = juliet.maintain(0, &mut rng);
    let (mut to_juliet, mut to_romeo) = conversation(version, &romeo, &mut juliet, &mut rng);
    report("messages encrypted and decrypted", || {
        let sent = to_juliet.encrypt(&KEY_MATERIAL, &mut rng).unwrap();
        to_romeo.decrypt(&mut juliet, &sent.message.bytes).unwrap()
    });
    let mut romeo = romeo;
    report("turns, a message each way", || {
        let sent = to_juliet.encrypt(&KEY_MATERIAL, &mut rng).unwrap();
        let _ = to_romeo.decrypt(&mut juliet, &sent.message.bytes).unwrap();
        let sent = to_romeo.encrypt(&KEY_MATERIAL, &mut rng).unwrap();
        to_juliet.decrypt(&mut romeo, &sent.message.bytes).unwrap()
    });

    let mut forged = to_juliet.encrypt(&KEY_MATERIAL, &mut rng).unwrap().message.bytes;
    let _ = to_romeo.encrypt(&KEY_MATERIAL, &mut rng).unwrap();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    report("forged messages refused", || to_romeo.decrypt(&mut juliet, &forged).unwrap_err());

    let mut group: Vec<_> = (0..1000).map(|_| to_juliet.clone()).collect();
    report("messages to 1,000 devices encrypted", || {
        let sent = group.iter_mut().map(|to| to.encrypt(&KEY_MATERIAL, &mut rng).unwrap());
        sent.map(|sent| sent.message.bytes.len()).sum::<usize>()
    });
}

fn sizes(version: Version) {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let (mut romeo, mut juliet) = (device(&mut rng), device(&mut rng));
    size("our device with 100 prekeys", juliet.to_bytes().len());
    let (mut to_juliet, mut to_romeo) = conversation(version, &romeo, &mut juliet, &mut rng);
    size("sessions with a device, new", to_romeo.to_bytes().len());
    for _ in 0..100 {
        let sent = to_juliet.encrypt(&KEY_MATERIAL, &mut rng).unwrap();
        let _ = to_romeo.decrypt(&mut juliet, &sent.message.bytes).unwrap();
        let sent = to_romeo.encrypt(&KEY_MATERIAL, &mut rng).unwrap();
        let _ = to_juliet.decrypt(&mut romeo, &sent.message.bytes).unwrap();
    }
    size("the same after 100 turns", to_romeo.to_bytes().len());
    for _ in 0..MAX_FORWARD_JUMP {
        let _ = to_juliet.encrypt(&KEY_MATERIAL, &mut rng).unwrap();
    }
    let sent = to_juliet.encrypt(&KEY_MATERIAL, &mut rng).unwrap();
    let _ = to_romeo.decrypt(&mut juliet, &sent.message.bytes).unwrap();
    size("and 1,000 messages missing", to_romeo.to_bytes().len());
}

/// Sessions in which both have written.
fn conversation(
    version: Version,
    romeo: &Device,
    juliet: &mut Device,
    rng: &mut ChaCha20Rng,
) -> (Sessions, Sessions) {
    let bundle = Bundle::verify(version, juliet.bundle(version)).unwrap();
    let (mut to_juliet, mut to_romeo) = (Sessions::new(version), Sessions::new(version));
    to_juliet.initiate(romeo, &bundle, rng).unwrap();
    let sent = to_juliet.encrypt(&KEY_MATERIAL, rng).unwrap();
    let _ = to_romeo.decrypt(juliet, &sent.message.bytes).unwrap();
    let sent = to_romeo.encrypt(&KEY_MATERIAL, rng).unwrap();
    let mut romeo = Device::from_bytes(&romeo.to_bytes()).unwrap();
    let _ = to_juliet.decrypt(&mut romeo, &sent.message.bytes).unwrap();
    (to_juliet, to_romeo)
}

fn device(rng: &mut ChaCha20Rng) -> Device {
    Device::generate(DeviceId::random(rng), 0, rng)
}

fn report<T>(what: &str, mut action: impl FnMut() -> T) {
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < DURATION {
        black_box(action());
        count += 1;
    }
    println!("{:>12.0} /s  {what}", f64::from(count) / start.elapsed().as_secs_f64());
}

fn size(what: &str, bytes: usize) {
    println!("{bytes:>12} B   {what}");
}
