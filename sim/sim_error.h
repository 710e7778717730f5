/** Error domain of the simulation core. */
#ifndef SIM_ERROR_H
#define SIM_ERROR_H

#include <glib.h>

/** What a caller could do about it: mend a number, mend the program, mend the disk. */
typedef enum SimError {
    SIM_ERROR_RANGE,    /* a number that integer nanoseconds cannot hold */
    SIM_ERROR_PROGRAM,  /* a program that contradicts itself, found while sealing */
    SIM_ERROR_DEADLOCK, /* operations that wait for each other, found while running */
    SIM_ERROR_WRITE,    /* an output file that could not be written */
} SimError;

#define SIM_ERROR (sim_error_quark())

/** The quark of SIM_ERROR. */
GQuark sim_error_quark(void);

#endif
