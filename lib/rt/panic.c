/* See panic.h. */
#include <rt/panic.h>
#include <rt/calls.h>
#include <stdarg.h>
#include <stdio.h>

_Noreturn void rt_panic(const char *format, ...)
{
	char line[256];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	n = MIN(n, (int)sizeof(line) - 2);
	line[n] = '\n';
	sys_log_write(line, (u32)n + 1);
	__builtin_trap();
}

/* assert()'s, as musl's assert.h declares it; and what musl's code calls in despair. */
_Noreturn void __assert_fail(const char *expr, const char *file, int line, const char *func)
{
	rt_panic("%s:%d: %s: assertion failed: %s", file, line, func, expr);
}

_Noreturn void abort(void)
{
	rt_panic("abort");
}
