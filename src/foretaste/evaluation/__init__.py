"""Is it good: metrics, splits and the replay in time order, of whatever callable is handed in."""
