//! SMS by AWS SNS.
