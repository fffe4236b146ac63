//! XEP-0114 as components see it: a gateway at `gateway.verona.example` and people who use it.

mod block_lists;
mod gateway;
mod people;
mod privileges;
