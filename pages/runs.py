"""runs"""
from app import state
state.page_head('runs')
state.page_foot()
