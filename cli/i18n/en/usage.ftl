# Command lines that are wrong.

usage-no-data-folder = This machine does not say where data belongs.
usage-no-command = No command was given.
usage-unknown-command = There is no command `{ $argument }`. Perhaps you meant: { $near }
usage-unknown-command-alone = There is no command `{ $argument }`. Every command stands in `wksbm --help`.
usage-unknown-argument = `{ $argument }` is not known here. Perhaps you meant: { $near }
usage-unknown-argument-alone = `{ $argument }` is not known here.
usage-word-too-many = There is a word too many. A value with spaces is written between quotation marks.
usage-missing = Still missing: { $argument }
usage-conflict = `{ $argument }` cannot go with `{ $other }`.
usage-no-value = `{ $argument }` was given no value.
usage-unknown-value = `{ $value }` is no value for `{ $argument }`. Known are: { $known }
usage-value = `{ $value }` is no value for `{ $argument }`.
usage-count = `{ $argument }` has too many or too few values.
usage-letters = The command line holds letters that cannot be read.
usage-other = The command line cannot be understood: { $what }
usage-field-form = A field is written NAME=VALUE, NAME+=VALUE or NAME-=VALUE.
usage-field-twice = The field `{ $field }` is put or cleared beside another wish in one save.
usage-fields-json = --fields is not one JSON object (line { $line }).
usage-fields-value = The value of `{ $field }` in --fields is not text, a number, true, false, null or a list of them.
usage-element-sign = An element of `{ $field }` holds the sign `;`. Add it with { $field }+=VALUE.
usage-stdin-twice = Standard input can be read only once.
usage-value-too-long = What `{ $path }` holds is too large for a field.
usage-not-text = `{ $path }` is not UTF-8 text.
usage-nothing-to-set = No field is to change. Use --field, --clear or --fields.
usage-api-loopback = `{ $address }` is not this machine. The local API listens on loopback only, like 127.0.0.1:8089.
usage-api-foreign = The request is meant for another host, or comes from another site's page.
usage-api-token = The request does not show the token of this run.
usage-api-link = The link was used already, or is too old.
usage-api-path = There is no such address. `/v1/openapi.json` lists them.
usage-api-type = The body must be JSON, and say so: Content-Type: application/json.
usage-api-body = The body is not what is asked for here: { $what }
usage-api-name = The question's name must be 1 to 64 letters, digits or `-`, and of its own.
