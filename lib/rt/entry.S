/*
 * Where every native program starts: the CPU driver sets rip, rsp and rdi, and nothing else.
 * rt_entry() is lib/rt/entry.c's, or the monitor's own.
 */
	.text
	.globl	_start
	.type	_start, @function
_start:
	xorl	%ebp, %ebp		/* the end of backtraces */
	andq	$-16, %rsp
	call	rt_entry
	ud2
	.size	_start, . - _start

	.section .note.GNU-stack, "", @progbits
