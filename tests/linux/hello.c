/* The least that a Linux program does: says something, and ends with a status. */
#include <stdio.h>

int main(int argc, char **argv)
{
	printf("hello from %s, %d arguments\n", argv[0], argc - 1);
	return argc == 2 ? argv[1][0] - '0' : 0;
}
