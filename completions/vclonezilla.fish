complete -c vclonezilla -l json -d 'print what is in the folder as one JSON object'
complete -c vclonezilla -s h -l help -d 'print this help'
complete -c vclonezilla -l version -d 'print the version'
