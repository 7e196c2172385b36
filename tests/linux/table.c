/* Prints the table of system calls for services/linux/README.md, from services/linux/syscalls.h. */
#include <stdio.h>

#define WHOLE(number, name, args, test)           {number, #name, "whole", "", test},
#define PARTLY(number, name, args, test, missing) {number, #name, "partly", missing, test},
#define ABSENT(number, name)                      {number, #name, "absent", "", ""},
#define NONE(number, name)                        {number, #name, "none", "", ""},

static const struct {
	int number;
	const char *name, *status, *missing, *test;
} calls[] = {
#include "syscalls.h"
};

int main(void)
{
	printf("| number | call | status | missing | test |\n| ---: | --- | --- | --- | --- |\n");
	for (unsigned i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		printf("| %d | %s | %s | %s | %s |\n", calls[i].number, calls[i].name,
		       calls[i].status, calls[i].missing, calls[i].test);
	return 0;
}
