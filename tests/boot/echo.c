/*
 * Console input: asks the serial driver for what is typed, and repeats each line until "end".
 */
#include <rt/rt.h>
#include <skerry/msg/console.h>
#include <string.h>

int main(void)
{
	struct rt_channel *console;
	char line[128];
	u32 bytes = 0;
	struct msg m;

	if (rt_channel_open(0, CONSOLE_SERVICE, NULL, &console) ||
	    rt_channel_send(console, CONSOLE_LISTEN, NULL, 0, FIBER_FOREVER))
		return 1;
	printf("echo: type\n");
	while (rt_channel_receive(console, &m, FIBER_FOREVER) == 0) {
		const struct msg_text *text = (const struct msg_text *)m.payload;

		for (u32 i = 0; i < MIN(text->bytes, CONSOLE_CHUNK); i++) {
			char c = text->text[i];

			if (c != '\r' && c != '\n') {
				if (bytes < sizeof(line) - 1)
					line[bytes++] = c;
				continue;
			}
			line[bytes] = 0;
			bytes = 0;
			if (strcmp(line, "end") == 0)
				return 0;
			printf("echo: \"%s\"\n", line);
		}
	}
	return 2;
}
