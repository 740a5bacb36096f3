# Command lines that are wrong.

usage-no-data-folder = This machine does not say where data belongs.
usage-no-command = No command was given.
usage-unknown-command = There is no such command: `{ $argument }`. Perhaps you meant: { $near }
usage-unknown-command-alone = There is no such command: `{ $argument }`. Every command stands in `wksbm --help`.
usage-unknown-argument = Not known here: `{ $argument }`. Perhaps you meant: { $near }
usage-unknown-argument-alone = Not known here: `{ $argument }`.
usage-word-too-many = There is a word too many. A value with spaces is written between quotation marks.
usage-missing = Still missing: { $argument }
usage-conflict = `{ $argument }` cannot go with `{ $other }`.
usage-no-value = `{ $argument }` was given no value.
usage-unknown-value = `{ $argument }` does not take `{ $value }`. Known are: { $known }
usage-value = `{ $argument }` does not take `{ $value }`.
usage-value-time = `{ $argument }` does not take `{ $value }`. Write a number above nought and m, h, d or w: 90m, 12h, 7d, 2w.
usage-value-size = `{ $argument }` does not take `{ $value }`. Write a number above nought, perhaps with k, M or G: 64k, 100M, 4G.
usage-value-address = `{ $argument }` does not take `{ $value }`. Write a multiaddr, like /ip4/192.0.2.7/udp/4001/quic-v1
usage-value-number = `{ $argument }` does not take `{ $value }`. Write a whole number within its limits.
usage-count = `{ $argument }` has too many or too few values.
usage-letters = The command line holds letters that cannot be read.
usage-other = The command line cannot be understood: { $what }
usage-field-form = A field is written NAME=VALUE, NAME+=VALUE or NAME-=VALUE.
usage-field-twice = One field is put or cleared more than once in one save: `{ $field }`.
usage-fields-json = --fields is not one JSON object (line { $line }).
usage-fields-value = A value in --fields is not text, a number, true, false, null or a list of them: `{ $field }`.
usage-element-sign = An element holds the sign `;`: `{ $field }`. Add it with NAME+=VALUE.
usage-stdin-twice = Standard input can be read only once.
usage-value-too-long = What `{ $path }` holds is too large for a field.
usage-not-text = `{ $path }` is not UTF-8 text.
usage-nothing-to-set = No field is to change. Use --field, --clear or --fields.
usage-api-loopback = `{ $address }` is not this machine. The local API listens on loopback only, like 127.0.0.1:8089.
usage-api-foreign = The request is meant for another host, or comes from another site's page.
usage-api-token = The request does not show the token of this run.
usage-api-link = The link was used already, or is too old.
usage-api-path = There is no such address. `/v1/openapi.json` lists them.
usage-sync-nobody = This node knows no address of a peer. Name one with `--peer`, or keep one with `wksbm peer add`.
usage-api-type = The body must be JSON, and say so: Content-Type: application/json.
usage-api-body = The body is not what is asked for here: { $what }
usage-api-name = The question's name must be 1 to 64 letters, digits or `-`, and of its own.
