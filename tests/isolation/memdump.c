/*
 * Waits for QEMU's control socket and has it write the machine's memory and registers to a file,
 * then ends it (QMP: qmp_capabilities, stop, dump-guest-memory, quit).
 *
 * Usage: memdump SOCKET FILE. Exit status 0 if the file was written whole.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "memdump: %s\n", what);
	exit(1);
}

static FILE *open_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = 60};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		die("the socket's name is too long");
	strcpy(address.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("nobody listens on the socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fdopen(fd, "r+");
}

/* Sends a command and waits for its answer among the events. */
static void command(FILE *qmp, const char *text)
{
	char line[4096];

	fseek(qmp, 0, SEEK_CUR);
	fprintf(qmp, "%s\n", text);
	fflush(qmp);
	while (fgets(line, sizeof(line), qmp)) {
		if (strncmp(line, "{\"return\"", 9) == 0)
			return;
		if (strncmp(line, "{\"error\"", 8) == 0)
			die(line);
	}
	die("QEMU did not answer");
}

int main(int argc, char **argv)
{
	char text[4096];
	FILE *qmp;

	if (argc != 3)
		die("usage: memdump SOCKET FILE");
	qmp = open_socket(argv[1]);
	if (!qmp || !fgets(text, sizeof(text), qmp))
		die("no greeting from QEMU");
	command(qmp, "{\"execute\":\"qmp_capabilities\"}");
	command(qmp, "{\"execute\":\"stop\"}");
	snprintf(text, sizeof(text),
		 "{\"execute\":\"dump-guest-memory\",\"arguments\":{\"paging\":false,"
		 "\"protocol\":\"file:%s\"}}",
		 argv[2]);
	command(qmp, text);
	command(qmp, "{\"execute\":\"quit\"}");
	return 0;
}
