//! The inventory against the tools whose databases it reads.

mod apk;
mod dpkg;
mod hostile;
mod layers;
mod os;
mod rpm;
mod support;
mod unread;
