/* command_help.c - `thorax help [COMMAND]`: what --help prints. */
#include "bench.h"
#include "commands.h"
#include "help.h"

int command_help(const options *o)
{
    int status = EXIT_DONE;
    const command *c = o->arguments ? command_wanted(o->argument[0], 0, NULL, &status) : NULL;
    if (c)
        help_command(c, stdout);
    else if (!o->arguments)
        help_program(stdout);
    return status;
}
