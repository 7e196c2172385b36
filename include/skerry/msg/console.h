/*
 * Messages between whoever has a console and who prints on it or reads from it: the service
 * "console" of a serial driver.
 *
 * Text sent through one channel is printed whole lines at a time. What is typed goes to the channel
 * that asked for it last.
 */
#ifndef SKERRY_MSG_CONSOLE_H
#define SKERRY_MSG_CONSOLE_H

#include <skerry/msg.h>

#define CONSOLE_SERVICE "console"
#define CONSOLE_CHUNK   55u

struct msg_text {
	u8 bytes;
	char text[CONSOLE_CHUNK];
};

MSG_FITS(struct msg_text);

struct msg_flush {
	u64 cookie;
};

#define CONSOLE_WRITE MSG_TYPE(MSG_CONSOLE, 1) /* to the driver: msg_text */
#define CONSOLE_FLUSH MSG_TYPE(MSG_CONSOLE, 2) /* to the driver: msg_flush */
#define CONSOLE_FLUSHED                                                                            \
	MSG_TYPE(MSG_CONSOLE, 3)                /* all text before the flush has left: msg_flush   \
						 */
#define CONSOLE_LISTEN MSG_TYPE(MSG_CONSOLE, 4) /* to the driver: give me what is typed */
#define CONSOLE_TYPED  MSG_TYPE(MSG_CONSOLE, 5) /* from the driver: msg_text */
#define CONSOLE_RAW    MSG_TYPE(MSG_CONSOLE, 6) /* to the driver: msg_text, to be sent as it is */

#endif
