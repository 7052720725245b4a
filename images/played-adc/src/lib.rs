//! An ADS1115 that is played by a program: the kernel's CUSE serves it as `/dev/i2c-N`, so that an agent in a virtual
//! machine reads it with its real driver. For tests only. Little-endian 64-bit machines only: the frames are written so.

pub mod bus;
pub mod chip;
pub mod frame;
pub mod ioctl;
pub mod serve;
