/*
 * The symbol table that a kernel carries for its backtraces.
 */
#ifndef HAKE_SYMBOLS_H
#define HAKE_SYMBOLS_H

/**
 * "hake symbols [ELF]": prints, as assembly, the table of the functions of @ELF, or an empty
 * one. "hake symbols --check TABLE ELF": says whether TABLE is the one of ELF.
 * Returns an exit status.
 */
int symbols_main(int argc, char **argv);

#endif
