/*
 * printf and its relatives (stdio.h) on the console, whole lines at a time: text is kept until its
 * line ends, then goes to the monitor. A program that prints faster than the console waits.
 *
 * Runs in: native domains.
 */
#ifndef RT_PRINT_H
#define RT_PRINT_H

#include <stdio.h>

/** Print the line that was begun. */
void print_flush(void);

#endif
