# Messages while working.

tell-node-gone = The node that runs on this folder ended before it answered.
tell-node-silent = The running node has not answered. The question was stopped, or is still being worked off there; look with wksbm status.
tell-node-busy = The running node is at work; this command waits for its turn. Ctrl-C ends this command, not that work.
tell-node-busy-with = The running node is at work on `wksbm { $work }`; this command waits for its turn. Ctrl-C ends this command, not that work.
tell-node-busy-peers = The running node is taking in what a peer sent; this command waits for its turn. Ctrl-C ends this command, not that work.
tell-waiting-store = Another command holds this data folder. Waiting until it ends.
tell-trial = Trial network: synthetic people only. Do not enter data of real people.
tell-always-trial = This is a trial network although --trial was not given: every network is one until sealing exists.
tell-invitation-secret = Whoever holds { $path } may join. Keep it safe.
tell-verifying = Verifying
tell-importing = Importing
tell-exporting = Writing the bundle
tell-making = Making synthetic data
tell-given-text = the given text ({ $count ->
        [one] one character
       *[other] { $count } characters
    })
tell-odd-language = WKSBM_LANG names no known language (id or en); Indonesian is used.
