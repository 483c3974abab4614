//! What the session says, in the words of the views.
//!
//! Every sentence has its words: one without them does not compile. What a server wrote stays as
//! it is.

use parlor_ui::Words;
use parlor_ui::slint::SharedString;

use super::text::shared;
use crate::dcc::Failure;
use crate::file_name::size_in_words;
use crate::session::{Command, Sentence};

/// A sentence in the person's language.
pub(super) fn phrase(w: &Words<'_>, sentence: &Sentence) -> SharedString {
    use Sentence::*;
    let or_none = |text: &Option<String>| shared(text.as_deref().unwrap_or_default());
    match sentence {
        NobodyAnswers { server } => w.invoke_nobody_answers(shared(&server.to_string())),
        NoneAnswers { servers } => w.invoke_none_answers(shared(servers)),
        Unreachable { server } => w.invoke_unreachable(shared(&server.to_string())),
        NotFound { host } => w.invoke_not_found(shared(host)),
        NotChat { server } => w.invoke_not_a_chat(shared(&server.to_string())),
        TutorialServer { server } => w.invoke_tutorial_server(shared(&server.to_string())),
        ServerClosed { reason } => w.invoke_server_closed(or_none(reason)),
        ConnectionBroke { error } => w.invoke_connection_broke(shared(error)),
        NotSecure { server } => w.invoke_not_secure(shared(&server.to_string())),
        KeyChanged { server, before, now } => {
            let [server, before, now] = [server.to_string(), before.to_string(), now.to_string()];
            w.invoke_key_changed(shared(&server), shared(&before), shared(&now))
        }
        KeyUnknown { server, key } => {
            w.invoke_key_unknown(shared(&server.to_string()), shared(&key.to_string()))
        }
        NetworkChanged => w.invoke_network_changed(),
        ServerDeaf => w.invoke_server_deaf(),
        ServerSilent => w.invoke_server_silent(),
        NoAnswer => w.invoke_no_answer(),
        Banned { reason } => w.invoke_banned(shared(reason)),
        PasswordNeeded => w.invoke_password_needed(),
        PasswordWrong => w.invoke_server_password_wrong(),
        PasswordNotSafe { server } => w.invoke_password_not_safe(shared(&server.to_string())),
        CertificateUnusable { path, why } => w.invoke_certificate_unusable(shared(path), shared(why)),
        Replaced => w.invoke_replaced(),

        NameMissing => w.invoke_name_missing(),
        NameOwned { name } => w.invoke_name_owned(shared(name)),
        PasswordRefused { reason } => w.invoke_password_refused(shared(reason)),
        NameTaken { name } => w.invoke_name_taken(shared(name)),
        NameNotPossible { name } => w.invoke_name_not_possible(shared(name)),

        RoomNotPossible { room } => w.invoke_room_not_possible(shared(room)),
        RoomUnknown { room } => w.invoke_room_unknown(shared(room)),
        RoomInviteOnly { room } => w.invoke_room_closed(shared(room)),
        RoomFull { room } => w.invoke_room_full(shared(room)),
        RoomBanned { room } => w.invoke_room_banned(shared(room)),
        RoomKey { room } => w.invoke_room_key(shared(room)),
        RoomRefuses { room, reason } => w.invoke_room_refuses(shared(room), shared(reason)),
        NotBackIn { why } => w.invoke_not_back_in(phrase(w, why)),
        PutOut { room, by: None, reason } => w.invoke_put_out(shared(room), or_none(reason)),
        PutOut { room, by: Some(by), reason } => {
            w.invoke_put_out_by(shared(by), shared(room), or_none(reason))
        }

        NotInRoom => w.invoke_not_in_room(),
        MayNotSpeak => w.invoke_may_not_speak(),
        MutedHere => w.invoke_muted_here(),
        RoomSlow { wait } => w.invoke_room_slow(i32::try_from(wait.as_secs()).unwrap_or(i32::MAX)),
        HandsNotPossible => w.invoke_hands_not_possible(),
        BannedHere => w.invoke_banned_here(),
        NotOperator => w.invoke_not_operator(),
        KeyNotPossible => w.invoke_key_not_possible(),
        NoSuchPerson { name } => w.invoke_no_such_person(or_none(name)),
        NotConfirmed => w.invoke_never_confirmed(),
        LeftBeforeSent => w.invoke_left_before_sent(),
        NotSentThen => w.invoke_not_sent_then(),
        SenderUnknown => w.invoke_sender_unknown(),
        NameNeeded => w.invoke_name_needed(),
        RoomOnly => w.invoke_room_only(),
        NotConnected => w.invoke_not_connected(),
        NotConnectedYet => w.invoke_not_connected_yet(),
        NobodyReadsHere => w.invoke_nobody_reads_here(),
        AnswerOneOfThem => w.invoke_answer_one_of_them(),
        ConversationGone { name, text } => w.invoke_no_conversation(shared(name), shared(text)),
        UnknownCommand { word } => w.invoke_unknown_command(shared(word)),
        NeedsArgument { command } => w.invoke_needs_argument(shared(command.usage())),

        Ignoring { names } => w.invoke_ignoring(shared(&names.to_string())),
        IgnoringNobody => w.invoke_ignoring_nobody(),
        NotIgnoring { name } => w.invoke_not_ignoring(shared(name)),
        Muted => w.invoke_muted(),
        Unmuted => w.invoke_unmuted(),
        NoTopic => w.invoke_no_topic(),
        Topic { text } => w.invoke_topic_is(shared(text)),
        Invited { name, room } => w.invoke_invited(shared(name), shared(room)),
        InvitedBy { by, name } => w.invoke_invited_by(shared(by), shared(name)),
        InvitesYou { by, room } => w.invoke_invites_you(shared(by), shared(room)),
        PersonAway { name, reason } => w.invoke_person_away(shared(name), or_none(reason)),
        YouAway => w.invoke_you_away(),
        YouBack => w.invoke_you_back(),
        Whois { name, userhost, realname } => {
            w.invoke_whois(shared(name), shared(userhost), or_none(realname))
        }
        WhoisServer { name, server, about } => {
            w.invoke_whois_server(shared(name), shared(server), shared(about))
        }
        WhoisIdle { name, idle } => {
            w.invoke_silent_for(shared(name), shared(&(idle.as_secs() / 60).to_string()))
        }
        WhoisRooms { name, rooms } => w.invoke_whois_rooms(shared(name), shared(rooms)),
        WhoisOperator { name } => w.invoke_whois_operator(shared(name)),
        WhoisAccount { name, account } => w.invoke_whois_account(shared(name), shared(account)),
        WhoisBot { name } => w.invoke_whois_bot(shared(name)),
        WhoisSecure { name } => w.invoke_whois_secure(shared(name)),
        Whowas { name, userhost, realname } => {
            w.invoke_whowas(shared(name), shared(userhost), or_none(realname))
        }
        NotSeen { name } => w.invoke_not_seen(shared(name)),
        CtcpAnswer { name, verb, text } => w.invoke_program_answers(shared(name), shared(verb), shared(text)),
        FileOffered { name, file, size } => {
            w.invoke_file_offered(shared(name), shared(file), or_none(&size.map(size_in_words)))
        }
        FilesToPeople => w.invoke_files_to_people(),

        Server { .. } => shared(&sentence.to_string()),
    }
}

/// Why a file did not come or go.
pub(super) fn failure(w: &Words<'_>, failure: &Failure) -> SharedString {
    match failure {
        Failure::NoSize => w.invoke_file_no_size(),
        Failure::SizeNotPossible => w.invoke_file_size_not_possible(),
        Failure::AddressNotPossible => w.invoke_file_address_not_possible(),
        Failure::Unreachable { error } => w.invoke_file_unreachable(shared(error)),
        Failure::NotPossibleHere { error } => w.invoke_file_not_possible_here(shared(error)),
        Failure::SenderNeverCame => w.invoke_file_sender_never_came(),
        Failure::NobodyCame => w.invoke_file_nobody_came(),
        Failure::Stalled => w.invoke_file_stalled(),
        Failure::Broken => w.invoke_file_broken(),
        Failure::TooMuch => w.invoke_file_too_much(),
        Failure::NotAgreed => w.invoke_file_not_agreed(),
        Failure::DiskFull => w.invoke_file_disk_full(),
        Failure::NotWritable { error } => w.invoke_file_not_writable(shared(error)),
        Failure::NotReadable { error } => w.invoke_file_not_readable(shared(error)),
        Failure::NotAFile => w.invoke_file_is_none(),
        Failure::Empty => w.invoke_file_empty(),
        Failure::Shrunk => w.invoke_file_shrunk(),
        Failure::Declined => w.invoke_file_declined(),
        Failure::Cancelled => w.invoke_file_cancelled(),
    }
}

/// What a command does.
pub(super) fn help(w: &Words<'_>, command: Command) -> SharedString {
    match command {
        Command::Join => w.invoke_help_join(),
        Command::Part => w.invoke_help_leave(),
        Command::Message => w.invoke_help_message(),
        Command::Query => w.invoke_help_query(),
        Command::Me => w.invoke_help_me(),
        Command::Nick => w.invoke_help_name(),
        Command::Topic => w.invoke_help_topic(),
        Command::Kick => w.invoke_help_kick(),
        Command::Ban => w.invoke_help_ban(),
        Command::Op => w.invoke_help_op(),
        Command::Deop => w.invoke_help_deop(),
        Command::Hand => w.invoke_help_hand(),
        Command::Invite => w.invoke_help_invite(),
        Command::Send => w.invoke_help_send(),
        Command::Away => w.invoke_help_away(),
        Command::Back => w.invoke_help_back(),
        Command::Whois => w.invoke_help_whois(),
        Command::Ignore => w.invoke_help_ignore(),
        Command::Unignore => w.invoke_help_unignore(),
        Command::Mute => w.invoke_help_mute(),
        Command::Unmute => w.invoke_help_unmute(),
        Command::List => w.invoke_help_rooms(),
        Command::Raw => w.invoke_help_raw(),
        Command::Quit => w.invoke_help_disconnect(),
        Command::Help => w.invoke_help_help(),
        Command::Slash => w.invoke_help_slash(),
    }
}

#[cfg(test)]
mod tests {
    use parlor_ui::App;
    use parlor_ui::slint::{ComponentHandle, select_bundled_translation};

    use super::*;

    /// English stands in the session, for those without a window, and in the views: word for word.
    #[test]
    fn the_window_says_what_the_session_says() {
        i_slint_backend_testing::init_no_event_loop();
        let app = App::new().unwrap();
        let words = app.global::<Words>();
        select_bundled_translation("").unwrap();
        for sentence in [Sentence::examples(true), Sentence::examples(false)].concat() {
            // Where a key goes on in the next row is the views' business.
            let phrase = phrase(&words, &sentence).replace('\u{200b}', "");
            assert_eq!(phrase, sentence.to_string(), "{sentence:?}");
        }
        for command in Command::ALL {
            assert_eq!(help(&words, *command), command.to_string());
        }
        select_bundled_translation("zh_CN").unwrap();
        let ours = |sentence: &Sentence| !matches!(sentence, Sentence::Server { .. });
        for sentence in Sentence::examples(true).into_iter().filter(ours) {
            let chinese = phrase(&words, &sentence);
            assert!(chinese.chars().any(|c| ('一'..='龥').contains(&c)), "{sentence:?}: {chinese}");
        }
    }
}
