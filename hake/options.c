/*
 * Command line options, with errors that help. See options.h.
 */
#include "options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int parse_option(int argc, char **argv, const struct option *options, bool stop)
{
	struct strv known = {0};
	int at = optind ? optind : 1;
	int c;

	opterr = 0;
	c = getopt_long(argc, argv, stop ? "+:" : ":", options, NULL);
	if (c != '?' && c != ':')
		return c;
	/* getopt has gone past the option, but for one short letter among several. */
	at = optind > 1 ? optind - 1 : at;
	if (c == ':')
		die("%s needs a value (hake/%s --help)", argv[at], argv[0]);
	for (; options->name; options++)
		strv_addf(&known, "--%s", options->name);
	die("unknown option %s%s (hake/%s --help)", argv[at], suggest(argv[at], &known), argv[0]);
}

u32 parse_count(const char *text, const char *option)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end || n < 1 || n > UINT32_MAX)
		die("%s: expected a whole number above 0, not \"%s\"", option, text);
	return (u32)n;
}
