/*
 * The error domain of the simulation core. The quark's text has underscores because clang-format
 * would rewrite a hyphen into a subtraction.
 */
#include "sim_error.h"

G_DEFINE_QUARK(sim_error, sim_error)
