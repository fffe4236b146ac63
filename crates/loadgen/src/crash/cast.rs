//! Who is there: the accounts with their servers, the rooms, and the devices that write.

use super::device::Place;
use super::servers::{self, Server};
use crate::crowd::user;

/// Everybody of a run, by number.
#[derive(Debug, Default)]
pub struct Cast {
    /// The name of each account, and its server.
    pub accounts: Vec<(String, usize)>,
    /// The address of each room; all are on the first server, and belong to the last account.
    pub rooms: Vec<String>,
    /// The devices.
    pub places: Vec<Place>,
}

/// An archive that is compared with what was acknowledged.
#[derive(Debug)]
pub struct Archive {
    /// Who reads it.
    pub reader: String,
    /// On which server that is.
    pub server: usize,
    /// The room whose archive it is, if it is not the reader's own.
    pub room: Option<String>,
}

impl Cast {
    /// Pairs of people on one server, with some devices each; where there are two servers, one more pair
    /// with somebody on each, and two rooms that people of both servers write into: one for members, one
    /// for everybody.
    pub fn new(servers: &[Server], pairs: usize, devices: usize) -> Self {
        let mut cast = Self::default();
        let federated = servers.len() > 1;
        for _ in 0..pairs {
            cast.pair(servers, [0, 0], devices);
        }
        if federated {
            cast.pair(servers, [0, 1], devices);
            for name in ["members", "open"] {
                cast.room(servers, name);
            }
            cast.account(0);
        }
        // The archives of rooms come after those of accounts.
        let accounts = cast.accounts.len();
        for place in cast.places.iter_mut().filter(|place| place.room) {
            place.reads += accounts;
            place.writes.iter_mut().for_each(|archive| *archive += accounts);
        }
        cast
    }

    /// Who made the rooms: a name on the first server.
    pub fn owner(&self) -> Option<&str> {
        let (name, _) = self.accounts.last()?;
        (!self.rooms.is_empty()).then_some(name)
    }

    /// All archives, first those of accounts.
    pub fn archives(&self) -> Vec<Archive> {
        let own = |(name, server): &(String, usize)| Archive {
            reader: name.clone(),
            server: *server,
            room: None,
        };
        let of_room = |room: &String| Archive {
            reader: self.owner().unwrap_or_default().to_owned(),
            server: 0,
            room: Some(room.clone()),
        };
        self.accounts.iter().map(own).chain(self.rooms.iter().map(of_room)).collect()
    }

    fn account(&mut self, server: usize) -> usize {
        let number = self.accounts.len();
        self.accounts.push((user(number), server));
        number
    }

    fn pair(&mut self, servers: &[Server], at: [usize; 2], devices: usize) {
        let people = at.map(|server| self.account(server));
        for _ in 0..devices {
            for (own, other) in [(0, 1), (1, 0)] {
                let partner = servers[at[other]].target.bare(&user(people[other]));
                self.places.push(Place {
                    number: self.places.len(),
                    name: user(people[own]),
                    server: at[own],
                    partner,
                    room: false,
                    reads: people[own],
                    writes: people.to_vec(),
                });
            }
        }
    }

    /// Two people of its own server, and one of the other.
    fn room(&mut self, servers: &[Server], name: &str) {
        let number = self.rooms.len();
        let address = format!("{name}@{}", servers::rooms(&servers[0].target.domain));
        for server in [0, 0, 1] {
            let account = self.account(server);
            self.places.push(Place {
                number: self.places.len(),
                name: user(account),
                server,
                partner: address.clone(),
                room: true,
                reads: number,
                writes: vec![number],
            });
        }
        self.rooms.push(address);
    }

    /// The bare addresses of those who write into a room.
    pub fn members(&self, servers: &[Server], room: &str) -> Vec<String> {
        let inside = self.places.iter().filter(|place| place.room && place.partner == *room);
        inside.map(|place| servers[place.server].target.bare(&place.name)).collect()
    }
}
