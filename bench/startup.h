/* startup.h - what comes before the command line is looked at. Private to bench. */
#ifndef THORAX_BENCH_STARTUP_H
#define THORAX_BENCH_STARTUP_H

/* Opens those of the descriptors 0, 1 and 2 that are closed, so that no file of a run is ever one of them. */
void startup_descriptors(void);
/* Starts the program once more where that makes its threads wait asleep; returns where it does not. */
void startup_again(char **argv);

#endif
