/* See foreign.h. Read-only data here: execution would fault. */
	.section .rodata
	.globl foreign_syscall, foreign_write, foreign_read, foreign_ud2, foreign_loop
	.globl foreign_xmm, foreign_hlt, foreign_out, foreign_end

foreign_syscall:		/* and again, with the answer put into rbx */
	syscall
	movq	%rax, %rbx
	movl	$60, %eax
	syscall
foreign_write:			/* where rdi points */
	movq	%rsi, (%rdi)
	syscall
foreign_read:
	movq	(%rdi), %rsi
	syscall
foreign_ud2:
	ud2
foreign_loop:
	incq	%rax
	jmp	foreign_loop
foreign_xmm:			/* xmm0 += xmm0, xmm1 = xmm15 */
	paddq	%xmm0, %xmm0
	movdqa	%xmm15, %xmm1
	syscall
foreign_hlt:
	hlt
foreign_out:
	outb	%al, $0x80
foreign_end:
	.section .note.GNU-stack, "", @progbits
