/*
 * Tests of Linux behaviour: programs that run unmodified on Linux and on Skerry.
 *
 *   CASE(child_inherits_memory)
 *   {
 *           CHECK(x == 1);
 *   }
 *
 * Each case runs in a process of its own; check.c prints a line for each:
 *
 *   @test name=child_inherits_memory result=pass
 *   @test name=... result=fail detail=file:line:condition,errno
 */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void case_register(const char *name, void (*fn)(void));

/** Note that a check has failed; that ends the case. */
_Noreturn void case_failed(const char *file, int line, const char *what, int error);

#define CASE(name)                                                                                 \
	static void name(void);                                                                    \
	__attribute__((constructor)) static void register_##name(void)                             \
	{                                                                                          \
		case_register(#name, name);                                                        \
	}                                                                                          \
	static void name(void)

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		errno = 0;                                                                         \
		if (!(condition))                                                                  \
			case_failed(__FILE__, __LINE__, #condition, errno);                        \
	} while (0)

/** That a call fails with an error number. */
#define CHECK_ERROR(call, number)                                                                  \
	do {                                                                                       \
		errno = 0;                                                                         \
		if ((long)(call) != -1 || errno != (number))                                       \
			case_failed(__FILE__, __LINE__, #call " is not " #number, errno);          \
	} while (0)

/** Run @fn in a child; returns its status as wait(2) gives it. */
int in_child(void (*fn)(void *arg), void *arg);

#endif
