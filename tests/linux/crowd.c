/* See crowd.h. */
#include "crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

unsigned long meminfo(const char *key)
{
	char line[128];
	unsigned long kib = 0;
	FILE *file = fopen("/proc/meminfo", "r");

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)) == 0)
			kib = strtoul(line + strlen(key), NULL, 10);
	}
	if (file)
		fclose(file);
	return kib;
}

int wait_all(void)
{
	int n = 0, status;

	while (wait(&status) > 0) {
		if (status)
			return -1;
		n++;
	}
	return n;
}

int fork_waiting(int n, int gate[2])
{
	int done = 0;
	char c;

	for (; done < n; done++) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0) {
			close(gate[1]);
			_exit(read(gate[0], &c, 1) == 0 ? 0 : 1);
		}
	}
	return done;
}
