//! Numeric replies (modern.ircdocs.horse, "Numerics"; RFC 2812 §5).

use parlor_server::protocol::text::{cut, printable};
use std::time::Duration;

use parlor_server::protocol::{Capability, Message};

use super::event::{Event, Field, Kind, ListedRoom};
use super::line::LineKind;
use super::sentence::filled;
use super::{Key, Sentence, Session};
use crate::limits::{LISTED, NAME, TOPIC_LISTED};

impl Session {
    pub(super) fn numeric(&mut self, code: u16, message: &Message<'_>) {
        // The first parameter is our name, which a few servers leave out.
        let arg = |i: usize| message.params.get(i).copied().unwrap_or_default();
        let either = |i: usize| [arg(i), arg(i - 1)];
        let text = printable(message.params.last().copied().unwrap_or_default());
        let name = || printable(arg(1));
        match code {
            // RPL_WELCOME
            1 => self.on_welcome(message),
            // RPL_ISUPPORT
            5 => {
                let before = self.isupport.naming.clone();
                let last = message.params.len().saturating_sub(1);
                let tokens = message.params.iter().take(last).enumerate();
                let tokens = tokens.filter(|(i, token)| *i > 0 || token.contains('='));
                tokens.for_each(|(_, token)| self.isupport.token(token));
                if self.isupport.naming != before {
                    self.refold();
                }
            }
            // RPL_ENDOFMOTD, ERR_NOMOTD
            376 | 422 => self.on_ready(),
            // RPL_MOTD
            372 => {
                let text = text.trim_start_matches("- ").to_owned();
                self.inform(&Key::server(), LineKind::Info, &Sentence::Server { about: None, text });
            }
            // RPL_MYINFO
            4 if self.registration.server.is_empty() => self.registration.server = arg(1).to_owned(),
            // An answer to PING: ERR_NOORIGIN, ERR_UNKNOWNCOMMAND, ERR_NOTREGISTERED, ERR_NEEDMOREPARAMS
            409 => self.pong(message),
            421 | 451 | 461 if arg(1).eq_ignore_ascii_case("PING") => self.pong(message),
            // RPL_YOURHOST to RPL_MYINFO, RPL_UMODEIS, RPL_LUSER…, RPL_LOCALUSERS …, RPL_LISTSTART,
            // RPL_ENDOFWHO, RPL_ENDOFWHOIS, RPL_ENDOFWHOWAS, RPL_CREATIONTIME, RPL_TOPICWHOTIME, RPL_MOTDSTART
            2..=4 | 42 | 221 | 250..=255 | 265 | 266 | 315 | 318 | 321 | 328 | 329 | 333 | 369 | 375 => {}
            // RPL_TRYAGAIN
            263 if self.question_put_off(message, &text) => {}
            // RPL_AWAY
            301 => self.on_their_away(arg(1), text),
            // RPL_UNAWAY, RPL_NOWAWAY
            305 | 306 => {
                let me = self.me.nick.clone();
                self.set_away(&me, code == 306);
                self.answer(if code == 306 { Sentence::YouAway } else { Sentence::YouBack });
            }
            // RPL_LIST, RPL_LISTEND
            322 => {
                let people = arg(2).parse().unwrap_or_default();
                // What stands in brackets at the start of a topic are modes (UnrealIRCd, InspIRCd).
                let name = cut(arg(1), NAME).to_owned();
                let topic = cut(&text, TOPIC_LISTED).to_owned();
                let room = ListedRoom { name, people, topic };
                if let Some(listing) = self.listing.as_mut().filter(|listing| listing.len() < LISTED) {
                    listing.push(room);
                }
            }
            323 => {
                if let Some(mut rooms) = self.listing.take() {
                    rooms.sort_by(|a, b| b.people.cmp(&a.people).then_with(|| a.name.cmp(&b.name)));
                    self.tell(Event::Listed(rooms));
                }
            }
            // RPL_CHANNELMODEIS
            324 if self.on_settings(message) => {}
            // RPL_EXCEPTLIST, RPL_BANLIST and their ends
            348 | 367 if self.on_ban_listed(message, code == 348) => {}
            349 | 368 if self.on_bans_end(message) => {}
            // RPL_NOTOPIC, RPL_TOPIC
            331 | 332 => {
                if let Some(key) = self.one_of(either(1)) {
                    self.set_topic(&key, if code == 332 { &text } else { "" });
                }
            }
            // RPL_INVITING
            341 => {
                let place = self.room(arg(2)).unwrap_or_else(|| self.asked_at());
                let sentence = Sentence::Invited { name: name(), room: printable(arg(2)) };
                self.inform(&place, LineKind::Info, &sentence);
            }
            // RPL_NAMREPLY, RPL_ENDOFNAMES
            353 => {
                if let Some(key) = self.one_of(either(2)) {
                    self.on_names(&key, message.params.last().copied().unwrap_or_default());
                }
            }
            366 => {
                if let Some(key) = self.one_of(either(1))
                    && let Some(conversation) = self.conversations.get_mut(&key)
                {
                    conversation.roster.complete();
                }
            }
            // RPL_HOSTHIDDEN (InspIRCd, UnrealIRCd, Ergo): what others see as our host.
            396 => {
                let user = self.me.userhost.as_deref().and_then(|known| known.split_once('@'));
                match (arg(1).split_once('@'), user.map(|(user, _)| user.to_owned())) {
                    (Some((user, host)), _) => self.know_userhost(user, host),
                    (None, Some(user)) => self.know_userhost(&user, arg(1)),
                    (None, None) => {}
                }
            }
            // RPL_WHOISUSER, RPL_WHOWASUSER
            311 | 314 => {
                let userhost = printable(&format!("{}@{}", arg(2), arg(3)));
                let (name, realname) = (name(), filled(text));
                self.answer(match code {
                    311 => Sentence::Whois { name, userhost, realname },
                    _ => Sentence::Whowas { name, userhost, realname },
                });
            }
            // RPL_WHOISSERVER
            312 => {
                self.answer(Sentence::WhoisServer { name: name(), server: printable(arg(2)), about: text });
            }
            // RPL_WHOISOPERATOR
            313 => self.answer(Sentence::WhoisOperator { name: name() }),
            // RPL_WHOISIDLE
            317 => {
                let idle = Duration::from_secs(arg(2).parse().unwrap_or_default());
                self.answer(Sentence::WhoisIdle { name: name(), idle });
            }
            // RPL_WHOISCHANNELS
            319 => self.answer(Sentence::WhoisRooms { name: name(), rooms: text }),
            // RPL_WHOISACCOUNT
            330 => self.answer(Sentence::WhoisAccount { name: name(), account: printable(arg(2)) }),
            // RPL_WHOISBOT
            335 => self.answer(Sentence::WhoisBot { name: name() }),
            // RPL_WHOISSECURE
            671 => self.answer(Sentence::WhoisSecure { name: name() }),
            // ERR_WASNOSUCHNICK
            406 => self.answer(Sentence::NotSeen { name: name() }),
            // ERR_ERRONEUSNICKNAME, ERR_NONICKNAMEGIVEN
            432 | 431 => self.on_name_bad(if code == 432 { arg(1) } else { "" }),
            // ERR_NICKNAMEINUSE, ERR_NICKCOLLISION, ERR_UNAVAILRESOURCE
            433 | 436 => self.on_name_taken(arg(1)),
            437 if !self.isupport.is_room(arg(1)) => self.on_name_taken(arg(1)),
            // ERR_BANNICKCHANGE and ERR_NICKTOOFAST, while we only want our own name back
            435 | 438 if self.is_reclaiming() => {}
            // ERR_PASSWDMISMATCH, ERR_YOUREBANNEDCREEP
            464 | 465 if !self.is_ready() => {
                let why = match code {
                    465 => Sentence::Banned { reason: text },
                    _ => self.password_asked(),
                };
                // Not every server closes the connection then.
                self.farewell = Some(why);
                self.drop_connection(self.not_chat());
            }
            900..=908 if self.on_sasl(code, message) => {}
            400..=599 | 716 | 723 | 742 | 743 => self.on_refusal(code, message, text),
            _ => {
                let words = message.params.get(1..).unwrap_or_default().join(" ");
                let place = if self.is_ready() { self.asked_at() } else { Key::server() };
                let text = printable(&words);
                self.inform(&place, LineKind::Info, &Sentence::Server { about: None, text });
            }
        }
    }

    /// The room of two names, if one of them is one that we know.
    fn one_of(&self, names: [&str; 2]) -> Option<Key> {
        names.into_iter().find_map(|name| self.room(name))
    }

    /// Something that was asked for does not work: an own line, coming into a room, or else.
    fn on_refusal(&mut self, code: u16, message: &Message<'_>, text: String) {
        let name = message.params.get(1).copied().filter(|_| message.params.len() > 2).unwrap_or_default();
        let key = self.isupport.key(self.room_of(name).unwrap_or(name));
        let open = self.conversations.contains_key(&key);
        // Before the welcome only names matter; CAP is unknown to old servers.
        if !self.is_ready() && !open {
            return;
        }
        let entered = self.conversations.get(&key).is_some_and(|conversation| conversation.joined);
        let wants_in = !entered && self.is_wanted(&key);
        // ERR_NOSUCHCHANNEL, TOOMANYCHANNELS, TOOMANYTARGETS, UNAVAILRESOURCE, CHANNELISFULL,
        // INVITEONLYCHAN, BANNEDFROMCHAN, BADCHANNELKEY, BADCHANMASK, NEEDREGGEDNICK and kin.
        if wants_in && matches!(code, 403 | 405 | 407 | 437 | 471..=480 | 489 | 500 | 519 | 520) {
            return self.on_join_refused(code, name, &key, text);
        }
        // ERR_NOSUCHNICK, NOSUCHCHANNEL, CANNOTSENDTOCHAN, TOOMANYTARGETS, the 41x of texts,
        // and what servers add to them (477, 486, 489, 492, 531, 716).
        let of_text =
            matches!(code, 401 | 403 | 404 | 407 | 408 | 413..=415 | 477 | 482 | 486 | 489 | 492 | 531 | 716);
        // That answers KICK, TOPIC or MODE, though a line may be under way.
        let of_text = of_text && (code != 482 || !self.caps.has(Capability::EchoMessage));
        if code == 482 && self.bans_refused(&key) {
            return;
        }
        let sentence = refusal(code, name, text);
        if of_text && self.refused_to(Some(&key), message, &sentence) {
            return;
        }
        // ERR_INPUTTOOLONG names nobody; with receipts the missing one tells.
        if code == 417 && !self.caps.has(Capability::EchoMessage) && self.refused_to(None, message, &sentence)
        {
            return;
        }
        let words = message.params.iter().skip(1);
        let place = words.map(|word| self.isupport.key(word)).find(|key| {
            // Answers about a person stay where they were asked.
            self.is_room(key)
        });
        let place = place.unwrap_or_else(|| self.asked_at());
        let sentence = match sentence {
            Sentence::Server { text, .. } => Sentence::Server { about: filled(printable(name)), text },
            sentence => sentence,
        };
        self.inform(&place, LineKind::Error, &sentence);
    }

    pub(super) fn is_wanted(&self, key: &Key) -> bool {
        self.wanted.iter().any(|wanted| self.isupport.key(&wanted.name) == *key)
    }

    /// A room does not let us in.
    fn on_join_refused(&mut self, code: u16, name: &str, key: &Key, text: String) {
        let room = printable(name);
        let why = match code {
            403 => Sentence::RoomUnknown { room },
            471 => Sentence::RoomFull { room },
            473 => Sentence::RoomInviteOnly { room },
            474 => Sentence::RoomBanned { room },
            475 => Sentence::RoomKey { room },
            476 | 479 => Sentence::RoomNotPossible { room },
            _ => Sentence::RoomRefuses { room, reason: text },
        };
        if self.conversations.contains_key(key) {
            let was_out = self.conversations.get(key).is_some_and(|conversation| conversation.out.is_some());
            if was_out {
                // The person wanted to come back, or in.
                self.unwant(key);
                return self.put_out(key, why);
            }
            // We were in before the connection was lost: it stays on the screen, and is tried
            // again after the next loss.
            let sentence = Sentence::NotBackIn { why: Box::new(why) };
            self.put_out(key, sentence.clone());
            return self.inform(key, LineKind::Error, &sentence);
        }
        self.unwant(key);
        if matches!(why, Sentence::RoomKey { .. }) {
            // It asks for its key itself.
            let key = self.open(name, Kind::Room);
            return self.put_out(&key, why);
        }
        self.refuse(Field::Room, why);
    }

    /// Somebody is away: said once for each text, though servers repeat it.
    fn on_their_away(&mut self, nick: &str, text: String) {
        self.set_away(nick, true);
        let key = self.isupport.key(nick);
        let sentence = Sentence::PersonAway { name: printable(nick), reason: filled(text.as_str()) };
        match self.conversations.get_mut(&key) {
            Some(conversation) if conversation.away_told.as_deref() == Some(&text) => {}
            Some(conversation) => {
                conversation.away_told = Some(text);
                self.inform(&key, LineKind::Info, &sentence);
            }
            None => self.answer(sentence),
        }
    }

    /// An answer, where it was asked for.
    pub(super) fn answer(&mut self, sentence: Sentence) {
        let place = self.asked_at();
        self.inform(&place, LineKind::Info, &sentence);
    }
}

/// What a refusal means, where its number says that; else the server's words. `name`: whom or what
/// it is about, if it says so.
fn refusal(code: u16, name: &str, text: String) -> Sentence {
    let name = filled(printable(name));
    match code {
        // ERR_NOSUCHNICK, ERR_USERNOTINCHANNEL
        401 | 441 => Sentence::NoSuchPerson { name },
        // ERR_NOSUCHCHANNEL
        403 => name.map_or(Sentence::Server { about: None, text }, |room| Sentence::RoomUnknown { room }),
        // ERR_CANNOTSENDTOCHAN: the mode at the end tells why (modern.ircdocs.horse).
        404 if text.contains("(+n)") => Sentence::NotInRoom,
        404 if text.contains("(+m)") => Sentence::MayNotSpeak,
        404 if text.contains("(+b)") => Sentence::BannedHere,
        404 if text.contains("(+b ~m:)") => Sentence::MutedHere,
        404 if text.contains("(+f)") => match seconds(&text) {
            Some(wait) => Sentence::RoomSlow { wait },
            None => Sentence::Server { about: None, text },
        },
        // ERR_NOTONCHANNEL, ERR_CHANOPRIVSNEEDED
        442 => Sentence::NotInRoom,
        482 => Sentence::NotOperator,
        _ => Sentence::Server { about: None, text },
    }
}

/// `… in 12 s (+f)`: how long a slow room wants one to wait.
fn seconds(text: &str) -> Option<Duration> {
    let (_, rest) = text.rsplit_once(" in ")?;
    let (number, _) = rest.split_once(" s ")?;
    number.parse().ok().map(Duration::from_secs)
}
