"""What the desk did: journal, referrals and counts."""
