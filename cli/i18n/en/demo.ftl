# The demo.

demo-working = Working
demo-doing-found = Founding the network at { $node }
demo-doing-join = { $node } joins
demo-doing-write = { $node } writes records
demo-doing-apart = { $node } and a neighbour change the same field
demo-doing-watch = Every node is asked about conflicts
demo-doing-settle = { $node } chooses one value
demo-founded = Network { $network } founded at the province
demo-joined = { $node } joined, confirmed by { $by }: { $words }
demo-wrote = { $node } wrote { $count ->
        [one] one synthetic record
       *[other] { $count } synthetic records
    }
demo-apart = { $one } and { $other } changed `{ $field }` of record { $record } without news of each other
demo-watched = The conflict is seen by { $seeing } of { $nodes } nodes; no value was lost
demo-watched-left = The conflict is still seen by { $seeing } of { $nodes } nodes
demo-watched-none = The conflict is settled on all { $nodes } nodes
demo-settled = { $node } chose "{ $value }"
demo-equal = { $nodes } nodes hold the same root of { $area }.
demo-not-equal = Not all of { $nodes } nodes showed the same root.
demo-conflicts = { $made } made, seen by { $seeing } of { $nodes } nodes, { $left } left
demo-cut = Without a connection
demo-cut-by = { $node }, by { $count ->
        [one] one bundle
       *[other] { $count } bundles
    }
demo-bundle-bytes = By bundle
demo-wire-bytes = Over the wire
demo-step-failed = One step failed: { $what }
demo-doing-meet = News travels: over sockets, and by stick to { $node }
demo-doing-rest = Every process ends in good order
demo-met = All { $nodes } nodes equal: pushed over sockets, { $node } by stick ({ $visits } bundles, { $bytes })
demo-met-unequal = News travelled ({ $visits } bundles, { $bytes }), but roots differ
demo-rested = All { $nodes } processes ended in good order
demo-stays = All nodes stay up. Open their links in a browser on this machine; Ctrl-C ends the demo. Each link serves once, within five minutes.
demo-page = { $node }: { $link }
demo-page-by = { $node }: `wksbm page --data { $folder }` prints its link
demo-node-ended = The node { $node } ended by itself ({ $what }).
    .do = Mend what the reason names, and start the demo again; with --keep name another folder, or delete that one first.
