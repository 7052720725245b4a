//! Events for whoever watches now. Nothing here is stored; a slow watcher is told that it missed something.
