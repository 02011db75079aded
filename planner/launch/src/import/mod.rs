//! Files of other programs to scenarios. (Under construction.)
