/*
 * The smallest program: prints its arguments, and exits with the number of them.
 */
#include <rt/rt.h>

int main(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		printf("hello from core %u: %d is %s\n", domain_start()->core, i, argv[i]);
	return argc - 1;
}
