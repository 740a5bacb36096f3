# Pages of results for people.

page-why = Why:
page-do = Next:
page-yes = yes
page-no = no
page-or = or
page-all = all who may carry it
page-hidden = (hidden; open with --reveal PURPOSE)
page-sealed = (sealed)
page-cleared = (cleared)
page-help-usage = Usage:
page-help-commands = Commands
page-help-arguments = Arguments
page-help-options = Options
page-help-global = Options of every command
page-help-help = Print this help
page-help-version = Print the version
page-name = Name
page-network = Network
page-area = Area
page-areas = Areas inside
page-device = Device
page-keys = Root keys (needed/all)
page-trial = Trial network
page-network-made = The network was made. This device is its first.
page-invitation-made = The invitation was written. Give it only to the person you invite.
page-file = File
page-files = Files
page-folder = Folder
page-rights = Rights
page-expires = Expires
page-invitation = Invitation
page-joined = This device has joined.
page-join-next = Send a bundle to the level above and read these eight words to them by telephone; once confirmed, what this device writes counts.
page-state = State
page-state-active = active
page-state-provisional = waiting for confirmation
page-state-closed = closed
page-state-revoked = revoked
page-since = Since
page-words = Words
page-member-as-before = The device's standing is as it was.
page-already-confirmed = This device was confirmed before; nothing was written.
page-end-not-held = This device was closed at an entry that is not here. What was written before it still counts once it comes.
page-member-changed = The device's standing has changed.
page-invitation-expired = Its invitation has expired. Make sure again that this is the device you invited.
page-entry = Entry
page-code = Code
page-level = Level
page-id = Lasting id
page-above = Below
page-former = Former codes
page-total = Total
page-rehomed = The area's code has changed. No record was copied.
page-old = Old code
page-new = New code
page-version = Version
page-running = Running
page-records = Records
page-entries = Entries
page-size = Size
page-arrived-at = Arrived at
page-mine = From here
page-held = Held there
page-missing = Missing
page-complete = Complete as of
page-connected = Connected
page-contact = Last contact
page-equal = Equal
page-trouble-conflicts = { $count ->
        [one] One field has
       *[other] { $count } fields have
    } two values or more. See: wksbm record conflicts
page-trouble-set-aside = { $count ->
        [one] One record is
       *[other] { $count } records are
    } too large and set aside: kept, without values. Ask the level above. See: wksbm record list --layer quarantined
page-trouble-deps = { $count ->
        [one] One record waits
       *[other] { $count } records wait
    } for an entry that has not arrived. Import the next bundle.
page-trouble-confirmation = { $count ->
        [one] One record waits for its
       *[other] { $count } records wait for their
    } device to be confirmed.
page-trouble-adoption = { $count ->
        [one] One entry of this device waits
       *[other] { $count } entries of this device wait
    } for adoption: the area has moved to another parent. What waits is kept and does not count; tell the level above both parents.
page-trouble-quarantined = { $count ->
        [one] One entry is quarantined and does
       *[other] { $count } entries are quarantined and do
    } not count.
page-trouble-own-area = { $free } of the disk are left: nothing more is taken of other areas. Remove other files from this device.
page-trouble-own-saves = { $free } of the disk are left: only your own saves are still stored. Remove other files from this device.
page-trouble-clock = This device's clock cannot be right. Set its date and time.
page-trouble-fork = Entry { $entry } of device { $device } was written twice ({ $places }). An SD card may have been copied or an old backup used again.
page-trouble-invitation = { $count ->
        [one] One device
       *[other] { $count } devices
    } joined with one invitation ({ $invitation }, area { $area }): { $devices }. It may have leaked; confirm only the one you meant, and close the others: wksbm member close
page-trouble-code = { $code } is the code of more than one area: { $areas }. Until that is mended, type the eleven digits. Whoever stands above gives one of them another code: wksbm area rehome ELEVEN-DIGITS CODE
page-trouble-contested = Two gave the area { $name } ({ $id }) a code or a place; { $area } is used now. Whoever stands above decides by giving it a code once more: wksbm area rehome { $id } CODE
page-later = Later official code
page-open-only = Nobody confirmed this device yet: of what it writes only open data counts, the rest waits.
page-this-device = this device
page-root = Root
page-other-moment = No words: the newest receipt speaks of another moment than what this node holds now.
page-feeds = Feeds
page-feed = Feed
page-authority = Authority root
page-verify-ok = Everything at rest was checked. Nothing is damaged.
page-verify-damage = Verification found damage in { $count ->
        [one] one place
       *[other] { $count } places
    }.
page-signatures = Signatures
page-certificates = Certificates
page-dropped = Sections dropped under a release
page-forks = Forks
page-views-equal = Views equal the entries
page-seconds = Seconds
page-seq = Sequence
page-what = What
page-kind = Kind
page-title = Title
page-fields = Fields
page-field = Field
page-class = Class
page-type = Type
page-merge = Merge
page-required = Required
page-codes = Codes
page-from = From
page-to = To
page-schema-next = See the fields of one kind: wksbm schema KIND
page-term = Term
page-long = Long form
page-meaning = Meaning
page-no-term = Nothing was found: that word is not in the list.
page-near-term = Perhaps you meant: { $near }
page-all-terms = See all words with `wksbm glossary`.
page-sheet-applied = The sheet was written into records.
page-sheet-trial = This was a trial run; nothing was written. Run again with --apply when it looks right.
page-rows = Rows
page-row = Row
page-rows-new = New
page-rows-changed = Changed
page-rows-unchanged = Unchanged
page-rows-refused = Refused
page-rows-warnings = Warnings
page-synth-made = Synthetic data was made. Nobody in it exists.
page-synth-there = These synthetic people are here already; nothing was written.
page-preset = Preset
page-seed = Seed
page-man-written = The manual pages were written.
page-bundle-made = The bundle was written.
page-bundle-whole = This bundle is whole.
page-rejected-cut = cut
page-rejected-altered = altered
page-rejected-trailing = bytes behind the end
page-rejected-newer = newer build
page-rejected-outside-interest = for other areas
page-rejected-unknown-device = unknown device
page-rejected-no-right = without a right
page-rejected-unconfirmed = not confirmed
page-rejected-limit = beyond a limit
page-rejected-signature = wrong signature
page-rejected-broken-chain = broken chain
page-rejected-unreadable = unreadable
page-rejected-no-room = no room on this disk
page-rejected-rotten = goes on from what rotted here
page-bundle-quarantined = { $count ->
        [one] One entry is
       *[other] { $count } entries are
    } quarantined: kept, and not counted.
page-bundle-older = Of an earlier bundle this file is left, which is no part of the new one: { $file }
page-bundle-trailing = Something else stands behind the end of the bundle. What is whole was taken; copy the file again.
page-bundle-cut = This bundle is not whole. What is whole inside can still be imported.
page-for = For
page-from-device = From device
page-made-at = Made at
page-piece = Piece
page-new-here = New here
page-missing-feed = Incomplete feed
page-duplicate = Held before
page-pending = Pending
page-import-partial = Not everything could be taken from { $count ->
        [one] one file
       *[other] { $count } files
    }. What was whole is kept.
page-import-pieces = Of the { $pieces } pieces of this bundle these were not imported with it: { $lacking }. What is inside them came only if they were imported before.
page-import-too-early = Piece { $piece } of { $pieces } waits for a piece before it. Import that one first, then this one again.
page-saved = Saved.
page-record = Record
page-value = Value
page-by = By
page-claimed = Author's time
page-verdict = Verdict
page-verdict-counting = counting
page-verdict-waiting = waiting
page-verdict-quarantined = quarantined
page-verdict-set-aside = too large, set aside
page-edits-left-out =
    { $count ->
        [one] One more change is
       *[other] { $count } more changes are
    } kept and not shown: the record is too large to be read whole.
page-label = Label
page-status = Status
page-conflicts = Conflicts
page-changed-at = Changed
page-list-total = { $shown } of { $total } records.
page-list-next = Next page: --after { $cursor }
page-exported = The Automerge documents were written.
page-export-older = Of an earlier export this file is left, perhaps of another record: { $file }
page-head = Automerge head
page-no-conflicts = No conflicts.
page-conflicts-next = Choose one value: wksbm record settle RECORD FIELD --entry ENTRY
page-dials = Dials
page-no-peers = No peer yet. Add one with `wksbm peer add`, or carry bundles.
page-received = Received entries
page-sent = Sent entries
page-run-ready = This node ({ $device }) is up.
page-run-listen = Others reach it at { $address }
page-run-listen-failed = { $address } cannot be listened on: { $reason }.
page-run-end = Ctrl-C ends it.
page-run-joined = Connected: { $device } of { $area }
page-run-left = Disconnected: { $device } ({ $reason ->
        [version] its program has another version
        [stranger] one does not know the other yet
        [no_rights] this device has no right there
        [nothing_shared] no area in common
        [malformed] a message could not be read
        [out_of_order] a message out of its turn
        [unknown_reference] a message named what is not known
        [too_much] more than the limits allow
        [stalled] silent for too long
        [bad_run] entries that do not hold
        [store] its store failed
        [lost] the line was lost
        [refused] it closed the door: this device may have been closed there, or too many are there at this moment
        [unsupported] no node of this mesh is at the address
        [wrong_peer] another device is at the address
        [connected] it is connected already
       *[other] { $reason }
    })
page-run-closed = A connection was closed before it was known who it is ({ $reason ->
        [version] its program has another version
        [stranger] one does not know the other yet
        [no_rights] this device has no right there
        [nothing_shared] no area in common
        [malformed] a message could not be read
        [out_of_order] a message out of its turn
        [unknown_reference] a message named what is not known
        [too_much] more than the limits allow
        [stalled] silent for too long
        [bad_run] entries that do not hold
        [store] its store failed
        [lost] the line was lost
        [refused] it closed the door: this device may have been closed there, or too many are there at this moment
        [unsupported] no node of this mesh is at the address
        [wrong_peer] another device is at the address
        [crowded] too many new devices there lately
        [connected] it is connected already
       *[other] { $reason }
    })
page-run-refused = Not let in at { $address }: { $reason ->
        [version] its program has another version
        [stranger] one does not know the other yet
        [no_rights] this device has no right there
        [nothing_shared] no area in common
        [malformed] a message could not be read
        [out_of_order] a message out of its turn
        [unknown_reference] a message named what is not known
        [too_much] more than the limits allow
        [stalled] silent for too long
        [bad_run] entries that do not hold
        [store] its store failed
        [lost] the line was lost
        [refused] it closed the door: this device may have been closed there, or too many are there at this moment
        [unsupported] no node of this mesh is at the address
        [wrong_peer] another device is at the address
        [crowded] too many new devices came to it from this internet address lately; it takes more in { $wait } seconds, and is dialled again by itself
        [other_network] it is of another network
        [connected] it is connected already
       *[other] { $reason }
    }.
page-trouble-refused = Not let in at { $address } since { $since }: { $reason ->
        [version] its program has another version
        [stranger] one does not know the other yet
        [no_rights] this device has no right there
        [nothing_shared] no area in common
        [malformed] a message could not be read
        [out_of_order] a message out of its turn
        [unknown_reference] a message named what is not known
        [too_much] more than the limits allow
        [stalled] silent for too long
        [bad_run] entries that do not hold
        [store] its store failed
        [lost] the line was lost
        [refused] it closed the door: this device may have been closed there, or too many are there at this moment
        [unsupported] no node of this mesh is at the address
        [wrong_peer] another device is at the address
        [crowded] too many new devices came to it from this internet address lately; it takes more in { $wait } seconds, and is dialled again by itself
        [other_network] it is of another network
        [connected] it is connected already
       *[other] { $reason }
    }.
page-run-equal = Equal with { $device } of { $area }: both proved the same roots ({ $received } entries received, { $sent } sent)
page-run-unequal = Not equal yet with { $device } of { $area } ({ $received } entries received, { $sent } sent)
page-run-cut-off = Something did not end in time and was cut off. What was acknowledged is saved.
page-run-stopped = Stopped. Everything is saved.
page-sync-equal = Equal: both sides proved the same roots.
page-sync-not-equal = Ended, but it is not proved that both sides are equal.
page-sync-over = Compared over the link that stood
page-sync-refused = The peer ended the session ({ $reason ->
        [version] its program has another version
        [stranger] one does not know the other yet
        [no_rights] this device has no right there
        [nothing_shared] no area in common
        [malformed] a message could not be read
        [out_of_order] a message out of its turn
        [unknown_reference] a message named what is not known
        [too_much] more than the limits allow
        [stalled] silent for too long
        [bad_run] entries that do not hold
        [store] its store failed
        [lost] the line was lost
        [refused] it closed the door: this device may have been closed there, or too many are there at this moment
        [unsupported] no node of this mesh is at the address
        [wrong_peer] another device is at the address
        [connected] it is connected already
       *[other] { $reason }
    }).
page-sync-other-network = Whoever answers there is of another network.
page-sync-nobody = Nobody answers: tried { $tries } times in { $seconds } seconds.
page-sync-waited-answer = Waited { $seconds } seconds for somebody to answer; tried { $tries } times before.
page-sync-waited-word = Somebody answers and then says nothing: tried { $tries } times in { $seconds } seconds.
page-sync-waited-end = The comparison did not end within { $seconds } seconds.
page-run-open = In a browser on this machine: { $link }
page-session-at = Session
page-bytes = Bytes in / out
page-rounds = Rounds
page-ended = Ended
page-session-equal = equal
page-session-unequal = not equal
page-address = Address
page-link-serves = Serves once, within five minutes. Give it to nobody.
page-run-open-by = Its pages in a browser: type `wksbm page` for the link.
